import { readFile } from "node:fs/promises";
import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { parseProgramFile, stageProgram } from "./program-file.ts";
import { Utility } from "./utility.ts";
import { type ServedRequest, UtilityServer } from "./utility-server.ts";

export interface RunUtilityOptions {
  readonly programFile: string;
  readonly host: string;
  readonly port: number;
  /** PEM files; `caFile` signs the clients. */
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

export interface RunUtilityContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly onListening: (where: string) => void;
  readonly onEvent: (event: Readonly<Record<string, unknown>>, line: string | undefined) => void;
}

/**
 * Runs a utility server with the events of a program file until the signal aborts.
 * @throws Error when a file can't be read or is wrong, or the port is taken
 */
export async function runUtilitySimulator(options: RunUtilityOptions, context: RunUtilityContext): Promise<void> {
  const { clock, log, signal, onListening, onEvent } = context;
  const [program = "", cert = "", key = "", ca = ""] = await Promise.all(
    [options.programFile, options.certFile, options.keyFile, options.caFile].map((file) => readFile(file, "utf8")),
  );
  const file = parseProgramFile(program, options.programFile);
  const { pollRateS, postRateS } = file;
  const utility = new Utility({
    clock,
    inBandRegistration: file.registration === "in-band",
    rates: {
      dcapS: pollRateS,
      edevListS: pollRateS,
      edevPostS: postRateS,
      fsaListS: pollRateS,
      derListS: pollRateS,
      derpListS: pollRateS,
      mupPostS: postRateS,
    },
  });
  const { host, port } = options;
  await using server = new UtilityServer({
    utility,
    host,
    port,
    key,
    cert,
    ca,
    clock,
    onServed: (request) => onEvent(...eventFrom(request)),
  });
  await server.start();
  onListening(server.url);
  const deeds = stageProgram(utility, file);
  const beganMs = clock.elapsedMs();
  try {
    for (let deed = deeds.shift(); deed !== undefined; deed = deeds.shift()) {
      await clock.sleep(Math.max(beganMs + deed.afterS * 1000 - clock.elapsedMs(), 0), signal);
      deed.act();
    }
    log.info("the program is through; the server goes on");
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function eventFrom(request: ServedRequest): [Readonly<Record<string, unknown>>, string | undefined] {
  const { method, path, status, reason, client, body } = request;
  const told = /<(?:\w+:)?status>(\d+)</.exec(path.endsWith("/rsp") ? body : "")?.[1];
  const event = {
    event: "request",
    method,
    path,
    status,
    lfdi: client,
    ...(reason !== undefined && { reason }),
    ...(told !== undefined && { response: Number(told) }),
  };
  const detail = [reason, told === undefined ? undefined : `Response ${told}`].filter(Boolean).join(", ");
  // Polls that went well are too many for a person.
  const line = method === "GET" && status === 200 ? undefined : `${method} ${path} ${status} ${detail}`.trimEnd();
  return [event, line];
}
