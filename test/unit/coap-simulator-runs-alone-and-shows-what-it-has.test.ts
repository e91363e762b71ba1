import { expect, test } from "vitest";
import { coap } from "../../adapters/coap/index.ts";
import { OperationError } from "../../adapters/kind.ts";
import { runCoapSimulator } from "../../simulators/coap/run-coap-simulator.ts";
import { systemClock as clock } from "../../src/clock.ts";
import { silentLog as log } from "../../src/log.ts";

const discover = (url: string, options: Record<string, string> = {}) => {
  const command = coap.commands?.find(({ name }) => name === "discover");
  const signal = new AbortController().signal;
  const ask = () => Promise.reject(new Error("it needs no daemon"));
  return command?.run(
    { args: [url], options },
    { clock, log, signal, ask, askIfRunning: async () => undefined, devices: () => [], progress: () => {} },
  );
};

/** Runs a simulated device while `story` goes on. */
async function whileRunning(kind: "load" | "battery", story: (url: string) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  let running: Promise<void> | undefined;
  const port = await new Promise<number>((resolve, reject) => {
    const options = { kind, host: "127.0.0.1", port: 0, ratingKW: 3, seed: 7 };
    const onListening = (address: { port: number }) => resolve(address.port);
    running = runCoapSimulator(options, { clock, log, signal: stop.signal, onListening });
    running.catch(reject);
  });
  await story(`coap://127.0.0.1:${port}`);
  stop.abort();
  await running;
}

test("a technician sees the resources of a device", async () => {
  await whileRunning("load", async (url) => {
    const result = await discover(url);
    expect(result?.json).toContainEqual({
      path: "/3305/0/5800",
      attributes: { rt: "oma.lwm2m", ct: "0", obs: "" },
    });
    expect(result?.table?.rows).toContainEqual(["/3312/0/5851", "ct=0"]);
  });
});

test("a device that is not there, a key that is missing and another protocol are told", async () => {
  let gone = "";
  await whileRunning("battery", async (url) => {
    gone = url;
  });
  await expect(discover(gone)).rejects.toThrow("ECONNREFUSED");
  await expect(discover("coaps://127.0.0.1")).rejects.toThrow("--psk-identity");
  await expect(discover("http://127.0.0.1")).rejects.toThrow(OperationError);
});
