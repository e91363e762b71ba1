import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { adapters } from "../../adapters/index.ts";
import { pollFault } from "../../csip/client/poll-timing.ts";
import { StepMachine } from "../../csip/client/step-machine.ts";
import { resolved } from "../../csip/expression.ts";
import { Failed, NotRun } from "../../csip/outcome.ts";
import { readProcedures } from "../../csip/procedure-files.ts";
import { type Outcomes, runProcedures } from "../../csip/run-procedures.ts";
import type { ServedRequest } from "../../simulators/utility/utility-server.ts";
import type { AnyAdapterKind } from "../../src/cli/parts.ts";
import { silentLog } from "../../src/log.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "csip-"));
  for (const side of ["client", "server"]) mkdirSync(join(folder, side));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(side: "client" | "server", name: string, yaml: string): void {
  writeFileSync(join(folder, side, `${name}.yaml`), yaml);
}

function play(kinds: readonly AnyAdapterKind[] = adapters): Promise<Outcomes> {
  return runProcedures(readProcedures(folder), {
    adapters: kinds,
    version: "0",
    speed: 60,
    parallel: 3,
    log: silentLog,
    signal: new AbortController().signal,
    onOutcome: () => {},
  });
}

const DEVICE_FOUND = `
Preconditions: { required_clients: [{ id: meter }] }
Steps:
  - id: FIND
    admin_instructions: [{ type: ensure-end-device, parameters: { registered: true } }]
    action: { type: discovery, parameters: { resources: [EndDevice, Time, DER] } }
    checks:
      - { type: end-device, parameters: { matches_client: true } }
      - { type: time-synced }
  - id: TELL
    action: { type: upsert-der-status, parameters: { genConnectStatus: STATUS, expect_rejection: REFUSED } }
`;

test("against the gateway's server a step that is not so fails with its name, and the others pass", async () => {
  const procedure = (text: string, status: string, refused: string) =>
    `Description: ${text}${DEVICE_FOUND.replace("STATUS", status).replace("REFUSED", refused)}`;
  write("server", "T-1", procedure("a status is kept", "7", "false"));
  write("server", "T-2", procedure("a status is refused, which it is not", "7", "true"));
  write(
    "server",
    "T-3",
    "Description: x\nPreconditions: { required_clients: [{ id: a }] }\nSteps: [{ id: A, action: { type: dance } }]",
  );
  const { server, client } = await play();
  expect(client).toEqual([]);
  expect(server.map(({ name, verdict }) => [name, verdict])).toEqual([
    ["T-1", "passed"],
    ["T-2", "failed"],
    ["T-3", "notRun"],
  ]);
  expect(server[1]?.reason).toMatch(/^step TELL: PUT .*status 204, and it was to be refused$/);
  expect(server[2]?.reason).toBe("the action dance is not supported");
});

test("without the adapter in question nothing is run, and it says so", async () => {
  write("server", "T-1", `Description: x${DEVICE_FOUND}`);
  write("client", "C-1", "Description: x\nSteps: { A: { event: { type: wait } } }");
  const { server, client } = await play(
    adapters.filter(({ name }) => name !== "ieee2030_5" && name !== "ieee2030_5_client"),
  );
  expect(client[0]).toMatchObject({ verdict: "notRun", reason: "no client: there is no adapter ieee2030_5_client" });
  expect(server[0]).toMatchObject({ verdict: "notRun", reason: "no server: there is no adapter ieee2030_5" });
});

test("a file that is no procedure is named", () => {
  write("server", "broken", "Description: 5");
  expect(() => readProcedures(folder)).toThrow(/broken\.yaml.*[\s\S]*Preconditions/);
});

describe("the steps for a client", () => {
  const steps = {
    name: "X",
    Description: "x",
    Steps: {
      ASK: {
        event: {
          type: "GET-request-received",
          parameters: { endpoint: "/edev/*/derp/1/derc" },
          checks: [{ type: "ready" }],
        },
        actions: [
          { type: "remove-steps", parameters: { steps: ["ASK"] } },
          { type: "enable-steps", parameters: { steps: ["REST", "TELL"] } },
        ],
      },
      REST: {
        event: { type: "wait", parameters: { duration_seconds: 60 } },
        actions: [{ type: "remove-steps", parameters: { steps: ["REST"] } }],
      },
      TELL: {
        event: { type: "POST-request-received", parameters: { endpoint: "/rsp", serve_request_first: true } },
        actions: [
          { type: "order", parameters: { what: 1 } },
          { type: "remove-steps", parameters: { steps: ["TELL"] } },
        ],
      },
    },
  };

  function machine() {
    const done: unknown[] = [];
    const waits: { seconds: number; then: () => void }[] = [];
    const state = { isReady: true, ended: 0 };
    const one = new StepMachine(steps, {
      perform: ({ type, parameters }) => {
        if (parameters["what"] === 2) throw new NotRun("no such order");
        done.push(type);
      },
      check: () => {
        if (!state.isReady) throw new Failed("not yet");
      },
      after: (seconds, then) => waits.push({ seconds, then }),
      onEnd: () => state.ended++,
    });
    one.begin();
    return { one, done, waits, state };
  }

  test("are taken in their order, each by its own event, and end when none is left", () => {
    const { one, done, waits, state } = machine();
    one.request("POST", "/rsp", true); // not active yet
    one.request("GET", "/edev/1/derp/1/derc/7", false); // another address
    one.request("GET", "/edev/1/derp/1/derc", true); // it wants to hear before the answer
    expect(one.open).toEqual(["ASK", "REST", "TELL"]);
    one.request("GET", "/edev/1/derp/1/derc", false);
    expect([one.open, waits[0]?.seconds, done]).toEqual([["REST", "TELL"], 60, []]);
    one.request("POST", "/rsp", true);
    expect([one.open, done, state.ended]).toEqual([["REST"], ["order"], 0]);
    waits[0]?.then();
    expect([one.open, state.ended, one.fault]).toEqual([[], 1, undefined]);
  });

  test("wait for their own checks, and an order that nobody can carry out ends all", () => {
    const { one, state } = machine();
    state.isReady = false;
    one.request("GET", "/edev/1/derp/1/derc", false);
    expect(one.open).toContain("ASK");
    expect(() => one.act({ type: "order", parameters: { what: 2 } })).toThrow(NotRun);
    one.act({ type: "finish-test", parameters: { fail_message: "too soon" } });
    expect(one.isFinished).toBe(true);
    expect(one.fault).toEqual(new Failed("too soon"));
  });
});

test("expressions are filled in, and what is not understood is not guessed", () => {
  const names = (name: string) => ({ now: 1000, maxExportW: 5000, this: 3, rtgMaxW: 4 })[name] ?? Number.NaN;
  expect(resolved("$(maxExportW * 0.3)", names)).toBe(1500);
  expect(resolved("$(2 * maxExportW)", names)).toBe(10_000);
  expect(resolved("$(now + '5 minutes')", names)).toBe(1300);
  expect(resolved("$now", names)).toBe(1000);
  expect(resolved("$(this < rtgMaxW)", names)).toBe(true);
  expect(resolved("plain", names)).toBe("plain");
  expect(() => resolved("$(now ? 1)", names)).toThrow(NotRun);
});

test("polls are judged by their gaps: one may be missed, two close together or a crowd may not", () => {
  const polls = (times: readonly number[]) =>
    times.map((atS) => ({ method: "GET", path: "/edev", query: new URLSearchParams(), atS }) as ServedRequest);
  const fault = (times: readonly number[]) => pollFault(polls(times), "/edev", "GET", 60);
  expect(fault([0, 60, 122, 180])).toBeUndefined();
  expect(fault([0, 60, 180, 240, 300, 360, 420, 540])).toBeUndefined();
  expect(fault([0, 60, 180, 240, 360])).toContain("missed twice");
  expect(fault([0, 1, 2, 3, 4, 5, 6])).toContain("7 times within 180 s");
  expect(fault([])).toBe("GET /edev never came");
  const paged = polls([0, 60]).map((one) => ({ ...one, query: new URLSearchParams({ s: "10" }) }));
  expect(pollFault(paged, "/edev", "GET", 60)).toBe("GET /edev never came");
});
