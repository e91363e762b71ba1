import { Worker } from "node:worker_threads";
import type { DtlsEvent, DtlsOptions, DtlsOrder } from "./dtls-messages.ts";
import type { DatagramPath, PathEvents } from "./peer-socket.ts";

/**
 * DTLS with a pre-shared key to one device, in a thread of its own: whatever a peer's datagram does to the DTLS library ends
 * that thread and this path, and nothing else.
 * @throws Error when the handshake fails
 */
export async function openDtlsPath(
  options: DtlsOptions,
  events: PathEvents,
  signal: AbortSignal,
): Promise<DatagramPath> {
  signal.throwIfAborted();
  const thread = startThread(options);
  const post = (order: DtlsOrder) => thread.postMessage(order);
  let isOver = false;
  const end = () => {
    isOver = true;
    void thread.terminate();
  };
  const lost = await new Promise<(error: Error) => void>((resolve, reject) => {
    let fail: (error: Error) => void = (error) => {
      end();
      reject(error);
    };
    const onAbort = () => fail(signal.reason instanceof Error ? signal.reason : new Error("no longer wanted"));
    signal.addEventListener("abort", onAbort, { once: true });
    const lose = (error: Error) => {
      if (isOver) return;
      end();
      events.onLost(error);
    };
    thread.on("message", (event: DtlsEvent) => {
      if (isOver) return;
      switch (event.kind) {
        case "connected":
          signal.removeEventListener("abort", onAbort);
          fail = lose;
          resolve(lose);
          break;
        case "datagram":
          events.onDatagram(Buffer.from(event.datagram));
          break;
        case "lost":
          fail(new Error(event.reason));
      }
    });
    thread.on("error", (error) => fail(new Error(`the DTLS library failed: ${messageOf(error)}`, { cause: error })));
    thread.on("exit", () => {
      signal.removeEventListener("abort", onAbort);
      if (!isOver) fail(new Error("the DTLS thread ended"));
    });
  });
  return {
    send: (datagram) => {
      if (isOver) return;
      try {
        post({ kind: "send", datagram });
      } catch (error) {
        lost(new Error(messageOf(error)));
      }
    },
    close: () => {
      if (isOver) return;
      isOver = true;
      // The thread says good-bye to the device and then that it is done; one that hangs must not keep the process.
      thread.unref();
      thread.on("message", () => void thread.terminate());
      post({ kind: "close" });
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function startThread(workerData: DtlsOptions): Worker {
  const resourceLimits = { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 2 };
  if (!import.meta.url.endsWith(".ts")) {
    return new Worker(new URL("./dtls-thread.js", import.meta.url), { workerData, resourceLimits });
  }
  // From source (tests) the thread needs the TypeScript loader, which a new thread doesn't inherit.
  const file = JSON.stringify(new URL("./dtls-thread.ts", import.meta.url).href);
  const boot = `import("tsx/esm/api").then((tsx) => { tsx.register(); return import(${file}); })`;
  return new Worker(boot, { eval: true, workerData });
}
