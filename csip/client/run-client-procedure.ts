import { lfdiOf } from "../../simulators/der/identity.ts";
import type { Pki } from "../../simulators/pki.ts";
import type { Stage } from "../../simulators/scenarios/stage.ts";
import { Utility } from "../../simulators/utility/utility.ts";
import { type ServedRequest, UtilityServer } from "../../simulators/utility/utility-server.ts";
import { writeCredentials } from "../credential-files.ts";
import { Failed, NotRun } from "../outcome.ts";
import { type ClientProcedure, type Deed, deedsOf } from "../procedure-files.ts";
import { type ClientEvidence, check, isCheck } from "./client-checks.ts";
import { ratingOf } from "./der-contents.ts";
import { Obedience } from "./obedience.ts";
import { withRandomPaths } from "./random-paths.ts";
import { openSite, type SiteKind } from "./site-under-test.ts";
import { StepMachine } from "./step-machine.ts";
import { checkAction, UtilityActions } from "./utility-actions.ts";

/** How long a client may take until it is ready for a procedure, and beyond the waits of its steps, s. */
const READY_S = 900;
const SLACK_S = 900;
const STEP_S = 150;
/** Longer procedures are not played, s. */
const LONGEST_S = 14_400;
const GRACE_S = 180;
const SAMPLE_S = 5;
/** Real time: a notification meets a busy machine. */
const NOTIFICATION_REAL_MS = 20_000;

/**
 * Plays one procedure against a gateway, as the utility that it obeys. A person who watches the device is replaced by a
 * look at the power at the connection point.
 * @param speed model time per real time
 * @returns what was checked
 * @throws NotRun, Failed
 */
export async function runClientProcedure(
  written: ClientProcedure,
  stage: Stage,
  pki: Pki,
  speed: number,
): Promise<string> {
  const procedure = withRandomPaths(written);
  throwIfUnsupported(procedure);
  const { clock } = stage;
  const preconditions = procedure.Preconditions;
  const all = allActions(procedure);
  const isOutOfBand = all.some(({ type }) => type === "register-end-device");
  const isDiscovered = all.some(({ type }) => type === "create-wellknown-route");
  const utility = new Utility({ clock, inBandRegistration: !isOutOfBand });
  const requests: ServedRequest[] = [];
  const nameValue = (name: string): number => {
    if (name === "now") return clock.now() / 1000;
    const value = ratingOf(utility.devices.devices[0], name);
    if (value === undefined) throw new Failed(`the client did not say ${name}`);
    return value;
  };
  const identity = await pki.issue("device", "gateway");
  const client = {
    lfdi: lfdiOf(identity.cert),
    files: await writeCredentials(stage.folder("utility"), { ...identity, ca: pki.ca }),
  };
  const actions = new UtilityActions(utility, nameValue, client.lfdi);
  const stop = new AbortController();
  let onEnd: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    onEnd = resolve;
  });
  const evidence: ClientEvidence = { utility, requests, names: nameValue, openSteps: () => machine.open };
  const machine = new StepMachine(procedure, {
    perform: (action) => actions.perform(action),
    check: (one) => check(one, evidence),
    after: (seconds, then) => {
      clock.sleep(seconds * 1000, stop.signal).then(then, () => {});
    },
    onEnd,
  });
  const { key, cert } = await pki.issue("server", "utility");
  await using server = new UtilityServer({
    utility,
    host: "127.0.0.1",
    port: 0,
    key,
    cert,
    ca: pki.ca,
    clock,
    notificationMs: NOTIFICATION_REAL_MS * speed,
    onRequest: ({ method, path }) => machine.request(method, path, false),
    onServed: (request) => {
      requests.push(request);
      machine.request(request.method, request.path, true);
    },
  });
  await server.start();
  const perform = (list: readonly Deed[]) => {
    for (const action of list) machine.act(action);
  };
  perform(deedsOf(preconditions?.init_actions));
  const isImmediate = preconditions?.immediate_start === true;
  if (isImmediate) {
    perform(deedsOf(preconditions?.actions));
    machine.begin();
  }
  const site = await openSite(stage, siteKind(procedure), {
    url: isDiscovered ? new URL("/.well-known/csipaus", server.url).href : server.url,
    ...client.files,
    registration: isOutOfBand ? "out-of-band" : "in-band",
    ...(isOutOfBand && { pin: 111_115 }),
    edition: isDiscovered || siteKind(procedure) === "storage" ? "1.3" : "1.2",
    subscribes: procedure.Classes?.some((one) => /^S-/.test(one)) === true,
  });
  try {
    if (!isImmediate) {
      await untilSo(deedsOf(preconditions?.checks), evidence, stage, READY_S);
      requests.length = 0;
      perform(deedsOf(preconditions?.actions));
      machine.begin();
    }
    const obedience = new Obedience(utility, site.powerKW);
    const sampling = sampleUntil(stop.signal, stage, obedience);
    const limitS = waitsOf(procedure) + STEP_S * Object.keys(procedure.Steps).length + SLACK_S;
    await Promise.race([ended, clock.sleep(limitS * 1000, stop.signal)]);
    await server.settled();
    if (machine.fault !== undefined) throw machine.fault;
    // Where the procedure itself does not end it, a person would wait until the client has said what it has to say.
    const lastEndS = Math.max(
      0,
      ...utility.book.standing(utility.nowS()).map(({ control }) => control.startS + control.durationS),
    );
    const graceS = machine.isFinished ? 0 : Math.min(Math.max(lastEndS - utility.nowS(), 0), LONGEST_S) + GRACE_S;
    await untilSo(deedsOf(procedure.Criteria?.checks), evidence, stage, graceS);
    stop.abort();
    await sampling;
    if (obedience.fault !== undefined) throw new Failed(obedience.fault);
    const watched = obedience.samples > 0 ? `, power watched ${obedience.samples} times` : "";
    return `${Object.keys(procedure.Steps).length} steps, ${requests.length} requests${watched}`;
  } finally {
    stop.abort();
  }
}

async function untilSo(
  checks: readonly Deed[],
  evidence: ClientEvidence,
  stage: Stage,
  withinS: number,
): Promise<void> {
  const giveUpAtMs = stage.clock.elapsedMs() + withinS * 1000;
  for (;;) {
    try {
      for (const one of checks) check(one, evidence);
      return;
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      if (stage.clock.elapsedMs() >= giveUpAtMs) throw error;
    }
    await stage.pass(1000);
  }
}

async function sampleUntil(signal: AbortSignal, stage: Stage, obedience: Obedience): Promise<void> {
  while (!signal.aborted) {
    obedience.sample();
    await stage.clock.sleep(SAMPLE_S * 1000, signal).catch(() => {});
  }
}

/** Names say what kind of DER a procedure is for, and of demand response the classes. */
function siteKind({ name, Classes }: ClientProcedure): SiteKind {
  const classes = Classes ?? [];
  if (name.startsWith("STO") || classes.includes("DR-D")) return "storage";
  const isForLoads = classes.includes("DR-L") && !classes.includes("DR-G");
  return name.includes("LOA") || isForLoads ? "load" : "generation";
}

function waitsOf(procedure: ClientProcedure): number {
  let sum = 0;
  for (const { event } of Object.values(procedure.Steps)) sum += Number(event.parameters?.["duration_seconds"] ?? 0);
  return sum;
}

function allActions(procedure: ClientProcedure): Deed[] {
  const preconditions = procedure.Preconditions;
  return [
    ...deedsOf(preconditions?.init_actions),
    ...deedsOf(preconditions?.actions),
    ...Object.values(procedure.Steps).flatMap(({ actions }) => deedsOf(actions)),
  ];
}

/** Procedures in which somebody works on the device itself, which no message shows. */
const BY_HAND: Readonly<Record<string, string>> = {
  "ALL-07": "somebody has to disconnect the DER from the grid",
  "ALL-08": "somebody has to take the DER's source away",
  "MUL-01": "somebody has to switch one DER off after the other",
  "MUL-03": "somebody has to change a DER's rating",
};

const STEP_ACTIONS = ["enable-steps", "remove-steps", "finish-test"];

/** @throws NotRun for what nobody here can do or check */
function throwIfUnsupported(procedure: ClientProcedure): void {
  const byHand = BY_HAND[procedure.name];
  if (byHand !== undefined) throw new NotRun(byHand);
  const steps = Object.values(procedure.Steps);
  const waitsS = waitsOf(procedure);
  if (waitsS > LONGEST_S) throw new NotRun(`it takes ${Math.round(waitsS / 3600)} hours`);
  for (const action of allActions(procedure)) if (!STEP_ACTIONS.includes(action.type)) checkAction(action);
  const checks = [
    ...deedsOf(procedure.Preconditions?.checks),
    ...deedsOf(procedure.Criteria?.checks),
    ...steps.flatMap(({ event }) => deedsOf(event.checks)),
  ];
  for (const { type } of checks) if (!isCheck(type)) throw new NotRun(`the check ${type} is not supported`);
  for (const { event } of steps) {
    if (event.type === "proceed") throw new NotRun("a step waits for a person who watches the device");
    if (event.type !== "wait" && !event.type.endsWith("-request-received"))
      throw new NotRun(`the event ${event.type} is not supported`);
  }
}
