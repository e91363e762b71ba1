import { setTimeout as pause, setImmediate as turn } from "node:timers/promises";
import { WebSocket } from "ws";
import { answerQuestions } from "./asked-program.ts";

// A charger that sends garbage as fast as its socket takes it, and comes back as soon as it is let in again.

const GARBAGE = [
  "{",
  '[2,"1","MakeCoffee",{}]',
  `[2,"2","MeterValues",{"meterValue":${"[".repeat(5000)}${"]".repeat(5000)}}]`,
  `[2,"3","DataTransfer",{"data":"${"x".repeat(30_000)}"}]`,
  '[3,"nobody","asked"]',
];

/** Unsent bytes at which it waits for its socket. */
const FULL_BYTES = 1024 * 1024;

let stop = new AbortController();
let frames = 0;

async function vandalise(url: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const socket = new WebSocket(url, ["ocpp1.6"], { perMessageDeflate: false });
    socket.on("error", () => {});
    await new Promise((resolve) => {
      socket.once("open", resolve);
      socket.once("close", resolve);
    });
    for (let count = 0; socket.readyState === WebSocket.OPEN && !signal.aborted; count++) {
      if (socket.bufferedAmount > FULL_BYTES || count % 100 === 0) await turn();
      if (socket.bufferedAmount > FULL_BYTES) continue;
      socket.send(GARBAGE[count % GARBAGE.length] ?? "");
      frames += 1;
    }
    socket.terminate();
    await pause(10);
  }
}

answerQuestions({
  begin: (url: string) => {
    stop = new AbortController();
    void vandalise(url, stop.signal);
  },
  end: () => {
    stop.abort();
    return frames;
  },
});
