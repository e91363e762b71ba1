import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { BenchCharger } from "./bench-charger.ts";
import { BenchMarket } from "./bench-market.ts";
import { DaemonProcess } from "./daemon-process.ts";
import { type BenchContext, type Benchmark, type Figure, figure } from "./figure.ts";
import { percentile } from "./percentile.ts";
import { PostConnection } from "./post-connection.ts";
import { PrototypeProcess } from "./prototype-process.ts";
import { within } from "./within.ts";

const WARM_UP = 200;
const ROUNDS = 10;
const PER_ROUND = 60;
/** Messages at the start of a round that are not counted: the other program has just had the processor's caches. */
const UNCOUNTED_PER_ROUND = 5;
/**
 * Rest between two messages. A market sends one in minutes, so each message should find a program that has nothing left
 * to do for the one before: a verdict to store and to tell, an answer of the charger to read.
 */
const REST_MS = 20;
const ANSWER_DEADLINE_MS = 10_000;

const ERA = "garage";
const POWERS_KW = [-8, -5] as const;

/** One of the two programs, with its charger. */
interface Subject {
  readonly name: string;
  readonly port: number;
  readonly path: string;
  readonly charger: BenchCharger;
  readonly latenciesMs: number[];
}

/** From just before the POST is written until the charger's socket has the frame; the floor is the bare prototype. */
export const onConfirmLatency: Benchmark = {
  figures: ["on_confirm_p50_ratio", "on_confirm_p99_ratio"],
  run: measure,
};

async function measure({ folder, progress, profileFolder }: BenchContext): Promise<readonly Figure[]> {
  await using market = await BenchMarket.open();

  const daemonFolder = subfolder(folder, "daemon");
  await using daemon = await DaemonProcess.start(daemonFolder, siteConfig(market), profileFolder);
  const { webhook, ocpp } = (await daemon.status()).addresses;
  if (webhook === undefined || ocpp === undefined) throw new Error("the daemon has no webhook or no OCPP port");
  await using daemonCharger = await BenchCharger.dial(`${ocpp}/GARAGE`);
  await daemonCharger.boot();

  await using prototype = await PrototypeProcess.start(subfolder(folder, "prototype"), market.publicKey);
  await using prototypeCharger = await BenchCharger.dial(`ws://127.0.0.1:${prototype.port}/GARAGE`);

  const door = new URL(webhook);
  const subjects: readonly Subject[] = [
    {
      name: "daemon",
      port: Number(door.port),
      path: `${door.pathname}/on_confirm`,
      charger: daemonCharger,
      latenciesMs: [],
    },
    {
      name: "prototype",
      port: prototype.port,
      path: "/beckn/on_confirm",
      charger: prototypeCharger,
      latenciesMs: [],
    },
  ];

  for (const subject of subjects) {
    await refusesForgery(subject, market);
    progress(`warms up the ${subject.name}`);
    await sendMany(subject, market, WARM_UP);
  }
  for (let round = 1; round <= ROUNDS; round++) {
    progress(`round ${round} of ${ROUNDS}`);
    for (const subject of subjects) {
      const latenciesMs = await sendMany(subject, market, UNCOUNTED_PER_ROUND + PER_ROUND);
      subject.latenciesMs.push(...latenciesMs.slice(UNCOUNTED_PER_ROUND));
    }
  }
  return [ratio(subjects, "on_confirm_p50_ratio", 50, 1.5), ratio(subjects, "on_confirm_p99_ratio", 99, 2)];
}

function siteConfig(market: BenchMarket): object {
  return {
    market: market.config(),
    // What is kept apart or held up on purpose, to spare a real charger, is no work of the program's.
    ocpp: { port: 0, maxMessagesPerS: 10_000 },
    devices: [{ era: ERA, kind: "charger", ocpp: { identity: "GARAGE", phases: 3, maxA: 32, commandSpacingS: 0 } }],
  };
}

/** A program that does not check signatures would be no measure for one that does. */
async function refusesForgery(subject: Subject, market: BenchMarket): Promise<void> {
  using connection = await PostConnection.open("127.0.0.1", subject.port);
  const { authorization } = market.onConfirm(ERA, POWERS_KW[0]);
  const { body } = market.onConfirm(ERA, POWERS_KW[1]);
  const answer = connection.post(subject.path, authorization, body);
  const { status } = await within(ANSWER_DEADLINE_MS, "the answer to a forgery", answer);
  if (status !== 401) throw new Error(`the ${subject.name} answered ${status} to a forged message`);
}

/** Sends messages one at a time; resolves with the time that each frame took. */
async function sendMany(subject: Subject, market: BenchMarket, count: number): Promise<readonly number[]> {
  const latenciesMs: number[] = [];
  using connection = await PostConnection.open("127.0.0.1", subject.port);
  for (let sent = 0; sent < count; sent++) {
    const powerKW = POWERS_KW[sent % 2] ?? POWERS_KW[0];
    const message = market.onConfirm(ERA, powerKW);
    const arriving = subject.charger.nextLimit();
    const startMs = performance.now();
    const answering = connection.post(subject.path, message.authorization, message.body);
    const [{ atMs, limitA }, answer] = await Promise.all([
      arriving,
      within(ANSWER_DEADLINE_MS, "the answer to on_confirm", answering),
    ]);
    if (answer.status !== 200) throw new Error(`the ${subject.name} answered ${answer.status}: ${answer.body}`);
    const expectedA = -powerKW / 0.69;
    if (Math.abs(limitA - expectedA) > 0.1) {
      throw new Error(`the ${subject.name} sent ${limitA} A for ${powerKW} kW`);
    }
    latenciesMs.push(atMs - startMs);
    await pause(REST_MS);
  }
  return latenciesMs;
}

function ratio(subjects: readonly Subject[], name: string, percent: number, target: number): Figure {
  const [daemonMs = Number.NaN, prototypeMs = Number.NaN] = subjects.map(({ latenciesMs }) =>
    percentile(latenciesMs, percent),
  );
  const value = daemonMs / prototypeMs;
  const detail = `p${percent} of ${ROUNDS * PER_ROUND}: daemon ${daemonMs.toFixed(2)} ms, prototype ${prototypeMs.toFixed(2)} ms`;
  return figure({ name, value, unit: "x", target, floor: prototypeMs, detail });
}

function subfolder(folder: string, name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}
