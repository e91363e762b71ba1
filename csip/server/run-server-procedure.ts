import { lfdiOf } from "../../simulators/der/identity.ts";
import type { Pki } from "../../simulators/pki.ts";
import type { Stage } from "../../simulators/scenarios/stage.ts";
import type { AnyAdapterKind } from "../../src/cli/parts.ts";
import { writeCredentials } from "../credential-files.ts";
import { resolvedAll } from "../expression.ts";
import { Failed, NotRun } from "../outcome.ts";
import { deedsOf, type ServerProcedure, type ServerStep } from "../procedure-files.ts";
import { Device, isAction } from "./device.ts";
import { DeviceClient } from "./device-client.ts";
import { NotificationSink } from "./notification-sink.ts";
import { Operator, programRanks, RATING_KW, registersInBand } from "./operator.ts";
import { checkServer, isServerCheck } from "./server-checks.ts";
import { ServerUnderTest } from "./server-under-test.ts";

/** How often a step that may be repeated is, and for how long, s. */
const REPEAT_S = 5;
const PATIENCE_S = 900;
/** Between two steps, s: what one caused is to be there at the next. */
const BREATH_S = 2;

/** What procedures leave to who runs them. The connection points are from the examples of AEMO's procedure for NMIs. */
const VARIABLES: Readonly<Record<string, number>> = {
  setMaxW: RATING_KW * 1000,
  valid_nmi_1: 20_019_857_328,
  valid_nmi_2: 43_168_540_059,
};

/**
 * Plays one procedure against the gateway's server, as the devices that it names.
 * @returns what was checked
 * @throws NotRun, Failed
 */
export async function runServerProcedure(
  procedure: ServerProcedure,
  stage: Stage,
  pki: Pki,
  kind: AnyAdapterKind,
): Promise<string> {
  throwIfUnsupported(procedure);
  const { clock } = stage;
  const { log } = stage.context;
  const server = stage.use(
    new ServerUnderTest({ kind, clock, log, shared: await sharedConfig(stage, pki, procedure) }),
  );
  const devices = new Map<string, Device>();
  for (const { id } of procedure.Preconditions.required_clients) {
    const { key, cert } = await pki.issue("device", id);
    const sink = stage.use(new NotificationSink({ key, cert, ca: pki.ca }));
    await sink.start();
    const client = new DeviceClient({ key, cert, ca: pki.ca }, clock, () => server.origin);
    stage.use({ [Symbol.asyncDispose]: async () => client.close() });
    devices.set(id, new Device({ lfdi: lfdiOf(cert), client, sink, clock }));
  }
  const names = (name: string): number => {
    const value = VARIABLES[name];
    if (value === undefined) throw new NotRun(`the variable ${name} is not supported`);
    return value;
  };
  const operator = new Operator(server, clock, names);
  const lfdis = new Map([...devices].map(([id, { lfdi }]) => [id, lfdi]));
  await operator.open(procedure, lfdis);
  const first = procedure.Preconditions.required_clients[0]?.id ?? "";
  let checks = 0;
  for (const step of procedure.Steps) {
    const device = devices.get(step.client ?? first);
    const context = devices.get(step.use_client_context ?? step.client ?? first);
    if (device === undefined || context === undefined) throw new NotRun(`step ${step.id} names an unknown client`);
    for (const { type, parameters, client } of step.admin_instructions ?? [])
      await operator.perform(type, parameters ?? {}, client ?? step.client ?? first);
    await stage.pass(BREATH_S * 1000);
    try {
      await runStep(step, device, context, stage, names);
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      const more = [server.refusal, device.sink.fault].filter((one) => one !== undefined).join("; ");
      throw new Failed(`step ${step.id}: ${error.message}${more === "" ? "" : ` (${more})`}`);
    }
    checks += step.checks?.length ?? 0;
  }
  return `${procedure.Steps.length} steps, ${checks} checks`;
}

async function runStep(
  step: ServerStep,
  device: Device,
  context: Device,
  stage: Stage,
  names: (name: string) => number,
): Promise<void> {
  const giveUpAtMs = stage.clock.elapsedMs() + (step.repeat_until_pass === true ? PATIENCE_S * 1000 : 0);
  for (;;) {
    try {
      await device.act(step.action.type, resolvedAll(step.action.parameters ?? {}, names), context);
      for (const { type, parameters } of deedsOf(step.checks))
        checkServer(type, resolvedAll(parameters, names), device);
      return;
    } catch (error) {
      if (!(error instanceof Failed) || stage.clock.elapsedMs() >= giveUpAtMs) throw error;
    }
    await stage.pass(REPEAT_S * 1000);
  }
}

async function sharedConfig(
  stage: Stage,
  pki: Pki,
  procedure: ServerProcedure,
): Promise<Readonly<Record<string, unknown>>> {
  const ranks = programRanks(procedure);
  const identity = await pki.issue("server", "gateway");
  const files = await writeCredentials(stage.folder("server"), { ...identity, ca: pki.ca });
  return {
    ...files,
    host: "127.0.0.1",
    ...(registersInBand(procedure) && { registration: "in-band" }),
    ...(ranks !== undefined && { primacy: ranks.market, operatorPrimacy: ranks.operator }),
  };
}

/** @throws NotRun for what nobody here can do or check */
function throwIfUnsupported(procedure: ServerProcedure): void {
  const clients = procedure.Preconditions.required_clients;
  const isAggregated =
    procedure.name === "S-ALL-03" || clients.filter((one) => one.client_type === "aggregator").length > 1;
  if (isAggregated) throw new NotRun("the server knows no aggregators");
  for (const step of procedure.Steps) {
    const { type } = step.action;
    if (type === "simulate-client") throw new NotRun("it takes 72 hours");
    if (!isAction(type)) throw new NotRun(`the action ${type} is not supported`);
    for (const check of deedsOf(step.checks))
      if (!isServerCheck(check.type)) throw new NotRun(`the check ${check.type} is not supported`);
  }
}
