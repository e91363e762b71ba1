import { afterEach, describe, expect, test } from "vitest";
import { CoapLink } from "../../adapters/coap/link/coap-link.ts";
import { parseLinkFormat } from "../../adapters/coap/link/link-format.ts";
import { CoapSimulator } from "../../simulators/coap/coap-simulator.ts";
import { DimmableLoad } from "../../simulators/coap/dimmable-load.ts";
import { PlainBattery } from "../../simulators/coap/plain-battery.ts";
import { Battery } from "../../simulators/world/battery.ts";
import { systemClock as clock } from "../../src/clock.ts";
import { silentLog as log } from "../../src/log.ts";
import {
  hasLibcoap,
  LIBCOAP_TLS,
  type LibcoapServer,
  libcoapClient,
  libcoapSkipped,
  startLibcoapServer,
} from "../support/libcoap.ts";
import { waitFor } from "../support/wait-for.ts";

const signal = new AbortController().signal;
const KEY = "secretPSK";

let server: LibcoapServer | undefined;
let link: CoapLink | undefined;
let simulator: CoapSimulator | undefined;

afterEach(async () => {
  link?.close();
  await server?.[Symbol.asyncDispose]();
  await simulator?.[Symbol.asyncDispose]();
  server = undefined;
  simulator = undefined;
});

const linkTo = (port: number, key?: string, deadlineMs = 5000) => {
  const psk = key === undefined ? {} : { psk: { identity: "gateway", key: Buffer.from(key) } };
  link = new CoapLink({ host: "127.0.0.1", port, deadlineMs, blockBytes: 512, ...psk }, clock);
  return link;
};

/** The program takes a moment until it listens. */
async function whenItListens(made: CoapLink): Promise<void> {
  await waitFor("the server", () =>
    made.ask({ method: "GET", path: "/" }, signal).then(
      () => true,
      () => false,
    ),
  );
}

/** Asks, writes in blocks, reads in blocks and observes. */
async function speakWith(made: CoapLink): Promise<void> {
  const core = await made.ask({ method: "GET", path: "/.well-known/core", accept: 40 }, signal);
  expect(core.contentFormat).toBe(40);
  expect(parseLinkFormat(core.payload.toString()).map(({ path }) => path)).toContain("/time");
  const long = Buffer.alloc(3000, "0123456789");
  const written = await made.ask({ method: "PUT", path: "/long", contentFormat: 0, payload: long }, signal);
  expect(written.code).toBe("2.01");
  expect((await made.ask({ method: "GET", path: "/long" }, signal)).payload.equals(long)).toBe(true);
  let heard = 0;
  const onNotification = () => {
    heard += 1;
  };
  const observer = { onNotification, onEnd: () => {} };
  const { isObserved, stop } = await made.observe({ method: "GET", path: "/time" }, observer, signal);
  expect(isObserved).toBe(true);
  await waitFor("two notifications", () => heard >= 2);
  stop();
  await expect(made.ask({ method: "GET", path: "/nowhere" }, signal)).rejects.toMatchObject({
    fault: "refused",
    code: "4.04",
  });
}

describe.skipIf(!hasLibcoap)(`our side as a client of libcoap${libcoapSkipped}`, () => {
  test("over UDP", async () => {
    server = await startLibcoapServer("openssl", []);
    const made = linkTo(server.port);
    await whenItListens(made);
    await speakWith(made);
  });

  test("over UDP that loses answers", async () => {
    server = await startLibcoapServer("openssl", ["-l", "1,3,4"]);
    const made = linkTo(server.port, undefined, 20_000);
    for (let round = 0; round < 4; round++) {
      const answer = await made.ask({ method: "GET", path: "/" }, signal).catch((error: unknown) => error);
      // Until it listens there is nobody; after that each exchange gets through.
      if (round > 0) expect(answer).toMatchObject({ code: "2.05" });
      else await whenItListens(made);
    }
  });

  test.each(
    LIBCOAP_TLS.flatMap(
      (tls) =>
        [
          [tls, "with the hint that it sends by itself", []],
          [tls, "with a hint of its own", ["-h", "a hint"]],
          [tls, "without a hint", ["-h", ""]],
        ] as const,
    ),
  )("over DTLS with a key, on %s %s", async (tls, _how, hint) => {
    server = await startLibcoapServer(tls, ["-k", KEY, ...hint]);
    await whenItListens(linkTo(server.port));
    link?.close();
    await speakWith(linkTo(server.securePort, KEY));
  });

  test("with a wrong key there is no way in, and the fault says what may be wrong", async () => {
    server = await startLibcoapServer("openssl", ["-k", KEY]);
    await whenItListens(linkTo(server.port));
    link?.close();
    const fault: unknown = await linkTo(server.securePort, "another", 2000)
      .ask({ method: "GET", path: "/" }, signal)
      .catch((error: unknown) => error);
    expect(fault).toMatchObject({ fault: "unreachable" });
    expect(String(fault)).toContain("identity or key may be wrong");
    expect(String(fault)).not.toContain("another");
  });
});

describe.skipIf(!hasLibcoap)(`our simulator as a server for libcoap${libcoapSkipped}`, () => {
  const start = async (device: ConstructorParameters<typeof CoapSimulator>[0]) => {
    simulator = new CoapSimulator(device, { clock, log });
    const { port } = await simulator.listen();
    return `coap://127.0.0.1:${port}`;
  };

  test("lists what it has, is read, and is told a power", async () => {
    const load = new DimmableLoad(clock, { ratingKW: 3, deadMs: 10, tauMs: 20 });
    const url = await start(load);
    expect(await libcoapClient("openssl", [], `${url}/.well-known/core`)).toContain("</3305/0/5800>");
    expect(await libcoapClient("openssl", [], `${url}/3305/0/5800`)).toContain("2400.0");
    await libcoapClient("openssl", ["-m", "put", "-t", "text/plain", "-e", "30"], `${url}/3312/0/5851`);
    await waitFor("the heater to follow", () => Math.abs(load.powerKW() + 0.9) < 0.01);
  });

  test("says no with the code that is meant for it", async () => {
    const url = await start(new DimmableLoad(clock, { ratingKW: 3 }));
    const put = (path: string, value: string, type = "text/plain") =>
      libcoapClient("openssl", ["-m", "put", "-t", type, "-e", value], `${url}${path}`);
    expect(await put("/3312/0/5851", "101")).toContain("4.00");
    expect(await put("/3312/0/5851", "30", "application/json")).toContain("4.15");
    expect(await put("/3305/0/5800", "1")).toContain("4.05");
    expect(await libcoapClient("openssl", ["-A", "application/json"], `${url}/3305/0/5800`)).toContain("4.06");
    expect(await libcoapClient("openssl", [], `${url}/none`)).toContain("4.04");
  });

  test("sends a long answer in blocks, and tells changes to who observes", async () => {
    const cells = { capacityKWh: 10, socPercent: 50, maxChargeKW: 5, maxDischargeKW: 5, deadMs: 10, tauMs: 20 };
    const battery = new PlainBattery(clock, new Battery(clock, cells));
    const url = await start(battery);
    const info = await libcoapClient("openssl", ["-b", "256"], `${url}/der/info`);
    expect(info).toContain("x".repeat(1500));
    const watching = libcoapClient("openssl", ["-s", "3"], `${url}/der/status`);
    await libcoapClient(
      "openssl",
      ["-m", "put", "-t", "application/json", "-e", '{"power":-3000,"seconds":60}'],
      `${url}/der/setpoint`,
    );
    expect(await watching).toContain('"power":-3000');
  });
});
