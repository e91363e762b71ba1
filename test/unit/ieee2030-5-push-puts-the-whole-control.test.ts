import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ieee2030_5_push } from "../../adapters/ieee2030-5/index.ts";
import type { AdapterHost } from "../../adapters/kind.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { type Adapter, DeviceError, type Report } from "../../src/model/adapter.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";

type Host = AdapterHost<ReturnType<typeof ieee2030_5_push.deviceSchema.parse>>;

const METER =
  '<MeterReading xmlns="urn:ieee:std:2030.5:ns"><Reading><value>-3481</value></Reading>' +
  "<ReadingType><flowDirection>1</flowDirection><uom>38</uom></ReadingType></MeterReading>";

/** A device with an address of its own; what it answers is changed as the story goes. */
const headEnd = {
  puts: [] as { type: string | undefined; body: string }[],
  putStatus: 204,
  meter: METER,
  meterStatus: 200,
  silent: false,
};
const server = createServer((request, response) => void serve(request, response));
let stop: AbortController;
let host: Host;
let adapter: Adapter;
let base: string;

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (headEnd.silent) return;
  let body = "";
  for await (const chunk of request) body += String(chunk);
  if (request.method === "PUT") {
    headEnd.puts.push({ type: request.headers["content-type"], body });
    response.writeHead(headEnd.putStatus, headEnd.putStatus === 302 ? { location: "/elsewhere" } : {}).end();
  } else {
    response.writeHead(headEnd.meterStatus, { "content-type": "application/sep+xml" }).end(headEnd.meter);
  }
}

beforeEach(async () => {
  Object.assign(headEnd, { puts: [], putStatus: 204, meter: METER, meterStatus: 200, silent: false });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  stop = new AbortController();
  host = ieee2030_5_push.createHost(ieee2030_5_push.sharedSchema.parse({}), {
    clock: systemClock,
    log: silentLog,
    random: () => 0.5,
    memory: volatileMemory(),
  });
  adapter = host.adapter(
    { era: "ieee.der.solar-panel-001", kind: "solar" },
    ieee2030_5_push.deviceSchema.parse({
      url: `${base}/edev/100200300/der/dc`,
      meterUrl: `${base}/mr`,
      pollMs: 100,
      ratingKW: 5,
      deviceCategory: "00000040",
      deadlineMs: 400,
    }),
  );
  await host.start(stop.signal);
});

afterEach(async () => {
  stop.abort(new Error("test over"));
  await host[Symbol.asyncDispose]();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const order = (powerKW = 3.5) => ({ setpointId: "s1", powerKW, untilMs: Date.now() + 3_600_000 });
const faultOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(DeviceError);
  return (error as DeviceError).fault;
};

test("the seed's 3.5 kW of 5 kW goes out with all that a DERControl must have", async () => {
  expect(await adapter.start(stop.signal)).toMatchObject({ minPowerKW: 0, maxPowerKW: 5, control: "limit" });
  const acceptance = await adapter.apply(order(), stop.signal);
  expect(acceptance).toMatchObject({ appliedKW: 3.5, endsByItself: true });
  const [put] = headEnd.puts;
  expect(put?.type).toBe("application/sep+xml");
  const names = [...(put?.body ?? "").matchAll(/<(\w+)/g)].map(([, name]) => name);
  expect(names).toEqual([
    ...["DERControl", "mRID", "description", "version", "creationTime"],
    ...["EventStatus", "currentStatus", "dateTime", "potentiallySuperseded"],
    ...["interval", "duration", "start", "randomizeDuration", "randomizeStart"],
    ...["DERControlBase", "opModFixedW", "deviceCategory"],
  ]);
  expect(put?.body).toContain("<opModFixedW>7000</opModFixedW>");
  expect(put?.body).toContain("<deviceCategory>00000040</deviceCategory>");
});

test("release puts the same event as cancelled, and nothing if there is none", async () => {
  await adapter.release(stop.signal);
  expect(headEnd.puts).toEqual([]);
  await adapter.apply(order(), stop.signal);
  await adapter.release(stop.signal);
  await adapter.release(stop.signal);
  const [applied, released, ...more] = headEnd.puts.map(({ body }) => body);
  const mRID = /<mRID>\w+<\/mRID>/.exec(applied ?? "")?.[0] ?? "none";
  expect(released).toContain(mRID);
  expect(released).toContain("<currentStatus>2</currentStatus>");
  expect(more).toEqual([]);
});

test("what the device accepted and does not follow is put as a new event", async () => {
  const sameOrder = order();
  await adapter.apply(sameOrder, stop.signal);
  await adapter.apply(sameOrder, stop.signal);
  await adapter.apply({ ...sameOrder, correction: true }, stop.signal);
  const mRIDs = headEnd.puts.map(({ body }) => /<mRID>\w+<\/mRID>/.exec(body)?.[0]);
  expect(mRIDs[1]).toBe(mRIDs[0]);
  expect(mRIDs[2]).not.toBe(mRIDs[0]);
});

test("a release that did not arrive is put again when asked again", async () => {
  await adapter.apply(order(), stop.signal);
  headEnd.putStatus = 503;
  expect(await faultOf(adapter.release(stop.signal))).toBe("unreachable");
  headEnd.putStatus = 204;
  await adapter.release(stop.signal);
  expect(headEnd.puts.at(-1)?.body).toContain("<currentStatus>2</currentStatus>");
  expect(headEnd.puts).toHaveLength(3);
});

describe("a fault is told apart", () => {
  test.each([
    [400, "refused"],
    [403, "refused"],
    [500, "unreachable"],
    [302, "protocol"],
  ])("status %i is %s", async (status, fault) => {
    headEnd.putStatus = status;
    expect(await faultOf(adapter.apply(order(), stop.signal))).toBe(fault);
    expect(headEnd.puts).toHaveLength(1);
  });

  test("no answer is a timeout, nobody there is unreachable", async () => {
    headEnd.silent = true;
    expect(await faultOf(adapter.apply(order(), stop.signal))).toBe("timeout");
    const gone = host.adapter(
      { era: "gone", kind: "solar" },
      ieee2030_5_push.deviceSchema.parse({ url: "http://127.0.0.1:1/dc", ratingKW: 5 }),
    );
    expect(await faultOf(gone.apply(order(), stop.signal))).toBe("unreachable");
  });

  test("charging a device without a charge rate is refused here and never sent", async () => {
    expect(await faultOf(adapter.apply(order(-1), stop.signal))).toBe("refused");
    expect(headEnd.puts).toEqual([]);
  });
});

describe("the meter", () => {
  const reports: Report[] = [];
  const follow = () => {
    reports.length = 0;
    void (async () => {
      for await (const report of adapter.reports(stop.signal)) reports.push(report);
    })();
  };

  test("is read again and again, import positive on the wire, export positive here", async () => {
    follow();
    await adapter.start(stop.signal);
    const powers = () => reports.filter((report) => report.kind === "reading").map(({ reading }) => reading.powerKW);
    await waitFor("two readings", () => powers().length >= 2);
    expect(new Set(powers())).toEqual(new Set([3.481]));
  });

  test("that talks nonsense at the start is said to do so", async () => {
    headEnd.meter = "<nonsense";
    expect(await faultOf(adapter.start(stop.signal))).toBe("protocol");
    headEnd.meterStatus = 503;
    expect(await faultOf(adapter.start(stop.signal))).toBe("unreachable");
  });

  test("that was away gets the control once more when it is back", async () => {
    follow();
    await adapter.start(stop.signal);
    await adapter.apply(order(), stop.signal);
    headEnd.meterStatus = 503;
    await waitFor("the link to go down", () => reports.some((report) => report.kind === "link" && !report.up));
    headEnd.meterStatus = 200;
    await waitFor("the control to come again", () => headEnd.puts.length === 2);
    expect(headEnd.puts[1]).toEqual(headEnd.puts[0]);
  });
});
