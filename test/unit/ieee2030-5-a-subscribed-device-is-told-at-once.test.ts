import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sfdiFromLfdi } from "../../adapters/ieee2030-5/identity.ts";
import { ieee2030_5 } from "../../adapters/ieee2030-5/index.ts";
import { Subscriptions } from "../../adapters/ieee2030-5/subscriptions/subscriptions.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { NotifiedDevice } from "../support/notified-device.ts";
import { PolledSite, sep } from "../support/polled-site.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";

const CONTROLS = "/edev/1/derp/1/derc";
const LIST = "/edev/1/sub";

let site: PolledSite;
let device: NotifiedDevice;

beforeEach(async () => {
  const config = { ratingKW: 5, maxChargeKW: 5, control: "opModTargetW" };
  site = await PolledSite.open([{ kind: "battery", config }, { kind: "solar" }], { pollRateS: 3600 });
  const [own] = site.credentials;
  if (own === undefined) throw new Error("no certificate");
  device = await NotifiedDevice.open(own, site.ca);
  site.adapters[0]?.start(site.signal).catch(() => {});
});
afterEach(async () => {
  await device[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

const terms = (resource: string, uri = device.uri, more = "<limit>10</limit>") =>
  sep(
    "Subscription",
    `<subscribedResource>${resource}</subscribedResource>${more}<notificationURI>${uri}</notificationURI>`,
  );
const subscribe = (resource = CONTROLS, uri = device.uri, more?: string) =>
  site.ask(LIST, { method: "POST", body: terms(resource, uri, more) });
const order = (powerKW: number, setpointId = "s1") =>
  site.adapters[0]?.apply({ setpointId, powerKW, untilMs: Date.now() + 600_000 }, site.signal).catch(() => {});
const heard = async (count: number) => {
  await waitFor(`${count} notifications`, () => device.notifications.length >= count);
  return device.notifications[count - 1];
};

describe("a device that polls once an hour", () => {
  test("hears of a new control, with all of it, as soon as it is ordered", async () => {
    expect((await site.read(LIST))["SubscriptionList"]?.$["all"]).toBe("0");
    const { status, headers } = await subscribe();
    expect(status).toBe(201);
    void order(-2.5);
    const notification = await heard(1);
    expect(notification?.["subscribedResource"]).toEqual([CONTROLS]);
    expect(notification?.["status"]).toEqual(["0"]);
    expect(notification?.["subscriptionURI"]).toEqual([headers.location]);
    expect(device.contentTypes).toEqual(["application/sep+xml"]);
    const [resource] = notification?.["Resource"] ?? [];
    expect(resource.$).toMatchObject({ "xsi:type": "DERControlList", href: CONTROLS, all: "1", results: "1" });
    expect(resource.DERControl[0].DERControlBase[0].opModTargetW[0].value).toEqual(["-2500"]);
    const order_ = Object.keys(notification ?? {}).filter((name) => name !== "$");
    expect(order_).toEqual(["subscribedResource", "Resource", "status", "subscriptionURI"]);
  });

  test("is released as soon as it has been told that its control is over, without a poll", async () => {
    await subscribe();
    void order(-2.5);
    await heard(1);
    device.status = 503;
    let isReleased = false;
    const releasing = site.adapters[0]?.release(site.signal).then(() => {
      isReleased = true;
    });
    // It holds a control that it was told of, so that nobody can say that it has given back while it does not answer.
    await heard(2);
    expect(isReleased).toBe(false);
    device.status = 201;
    await releasing;
    const [resource] = (await heard(2))?.["Resource"] ?? [];
    expect(resource.DERControl[0].EventStatus[0].currentStatus).toEqual(["2"]);
  });

  test("hears when time alone changes a control: what was scheduled has begun", async () => {
    await subscribe();
    const fromMs = Date.now() + 1500;
    site.adapters[0]?.plan?.([{ setpointId: "s1", powerKW: 1, fromMs, untilMs: fromMs + 60_000 }]);
    const statusIn = (count: number) =>
      device.notifications[count]?.["Resource"][0].DERControl[0].EventStatus[0].currentStatus[0];
    await heard(2);
    expect([statusIn(0), statusIn(1)]).toEqual(["0", "1"]);
  });

  test("that wants no items is only told that something has changed", async () => {
    await subscribe(CONTROLS, device.uri, "<encoding>0</encoding><level>+S1</level><limit>0</limit>");
    void order(1);
    expect(await heard(1)).not.toHaveProperty("Resource");
  });

  test("hears of the default control and of itself", async () => {
    for (const path of ["/edev/1/derp/1/dderc", "/edev/1", "/edev", "/edev/1/fsa", "/edev/1/derp"]) {
      expect((await subscribe(path)).status).toBe(201);
    }
    const modes = "<modesSupported>00500088</modesSupported><rtgMaxW><multiplier>0</multiplier><value>5000</value>";
    const body = sep("DERCapability", `${modes}</rtgMaxW><type>80</type>`);
    expect((await site.ask("/edev/1/der/1/dercap", { method: "PUT", body })).status).toBe(204);
    await waitFor("the default control", () =>
      device.notifications.some(({ Resource: [resource] }) => resource.$["xsi:type"] === "DefaultDERControl"),
    );
  });
});

describe("a subscription", () => {
  test("that is posted again is renewed and not doubled, changes by PUT, and ends by DELETE", async () => {
    const first = await subscribe();
    const again = await subscribe();
    expect([again.status, again.headers.location]).toEqual([204, first.headers.location]);
    const href = first.headers.location ?? "";
    const put = await site.ask(href, { method: "PUT", body: terms(CONTROLS, device.uri, "<limit>1</limit>") });
    expect(put.status).toBe(204);
    const { SubscriptionList: list } = await site.read(`${LIST}?l=10`);
    expect(list?.$).toMatchObject({ all: "1", results: "1" });
    expect(list?.["Subscription"][0].limit).toEqual(["1"]);
    expect((await site.ask(href, { method: "DELETE" })).status).toBe(204);
    expect((await site.ask(href)).status).toBe(404);
    void order(1);
    await subscribe("/edev/1/derp");
    void order(2, "s2");
    await heard(1);
    expect(device.notifications.every(({ subscribedResource: [path] }) => path === "/edev/1/derp")).toBe(true);
  });

  test("sends nobody's notifications to another address, nor without TLS, nor about another device", async () => {
    const cases: [string, string, string | undefined, number][] = [
      [CONTROLS, "https://127.0.0.2:9443/ntfy", undefined, 403],
      [CONTROLS, "https://localhost:9443/ntfy", undefined, 403],
      [CONTROLS, "http://127.0.0.1:9443/ntfy", undefined, 403],
      [CONTROLS, "https://user:word@127.0.0.1:9443/ntfy", undefined, 403],
      ["/edev/2/derp/1/derc", device.uri, undefined, 400],
      ["/mup", device.uri, undefined, 400],
      ["/nowhere", device.uri, undefined, 400],
      [CONTROLS, device.uri, "<encoding>1</encoding>", 400],
      [CONTROLS, device.uri, "<Condition><attributeIdentifier>0</attributeIdentifier></Condition>", 400],
      [CONTROLS, device.uri, "<limit>many</limit>", 400],
    ];
    for (const [resource, uri, more, status] of cases) {
      expect([resource, uri, more, (await subscribe(resource, uri, more)).status]).toEqual([
        resource,
        uri,
        more,
        status,
      ]);
    }
    expect((await site.ask(LIST, {}, 1)).status).toBe(403);
  });

  test("is dropped where the device does not know it any more, and not where it is only away", async () => {
    await subscribe();
    device.status = 503;
    void order(1);
    await heard(1);
    device.status = 404;
    await waitFor("the end of the subscription", async () => {
      const { SubscriptionList: list } = await site.read(LIST);
      return device.notifications.length >= 2 && list?.$["all"] === "0";
    });
  });

  test("of a device that was away for a while brings what holds then, and not all that was missed", async () => {
    await subscribe();
    device.status = 503;
    void order(1);
    await heard(1);
    void order(2, "s2");
    void order(3, "s3");
    device.status = 204;
    const last = (await heard(2))?.["Resource"][0];
    const active = last.DERControl.filter((event: { EventStatus: { currentStatus: string[] }[] }) =>
      event.EventStatus[0]?.currentStatus.includes("1"),
    );
    expect(active.map((event: { description: string[] }) => event.description[0])).toEqual(["s3"]);
  });

  test("tells nothing to somebody else who sits at the device's address", async () => {
    const [, other] = site.credentials;
    if (other === undefined) throw new Error("no certificate");
    await using thief = await NotifiedDevice.open(other, site.ca);
    await subscribe(CONTROLS, thief.uri);
    await subscribe(CONTROLS);
    void order(1);
    await heard(1);
    expect(thief.notifications).toEqual([]);
  });

  test("outlives a restart, and there are at most sixteen", () => {
    const memory = volatileMemory();
    const lfdi = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5";
    const before = new Subscriptions(memory, lfdi);
    const wish = (n: number) => ({
      resource: `/r/${n}`,
      limit: 1,
      level: "+S1",
      notificationURI: "https://192.0.2.1/",
    });
    for (let n = 1; n <= 16; n++) expect(before.add(wish(n))).toEqual({ id: n, isNew: true });
    expect(before.add(wish(17))).toBeUndefined();
    expect(new Subscriptions(memory, lfdi).items).toEqual(before.items);
    expect(new Subscriptions(memory, "A".repeat(40)).items).toEqual([]);
  });
});

describe("a subscription whose resource is gone is ended with the reason", () => {
  test("moved, with the new address, for a device that has another number; cancelled for one that was removed", async () => {
    const memory = volatileMemory();
    await using before = await PolledSite.open([{ kind: "solar" }, { kind: "solar" }], {}, memory);
    const [one, other] = before.credentials;
    if (one === undefined || other === undefined) throw new Error("no certificate");
    await using removed = await NotifiedDevice.open(one, before.ca);
    await using stays = await NotifiedDevice.open(other, before.ca);
    await before.ask("/edev/1/sub", { method: "POST", body: terms(CONTROLS, removed.uri) });
    const old = "/edev/2/derp/1/derc";
    await before.ask("/edev/2/sub", { method: "POST", body: terms(old, stays.uri) }, 1);
    await before.ask("/edev/2/sub", { method: "POST", body: terms("/edev", stays.uri) }, 1);
    await before.host[Symbol.asyncDispose]();
    expect(removed.notifications).toEqual([]);

    const shared = ieee2030_5.sharedSchema.parse({ port: 0, ...before.files });
    await using host = ieee2030_5.createHost(shared, { clock: systemClock, log: silentLog, random: () => 0.5, memory });
    const part = ieee2030_5.deviceSchema.parse({ lfdi: before.lfdi(1) });
    const adapter = host.adapter({ era: "der.2", kind: "solar" }, part);
    await host.start(before.signal);
    adapter.start(before.signal).catch(() => {});
    await waitFor("both ends", () => stays.notifications.length >= 2 && removed.notifications.length >= 1);
    expect(removed.notifications).toMatchObject([
      { subscribedResource: [CONTROLS], status: ["1"], subscriptionURI: ["/edev/1/sub/1"] },
    ]);
    const ended = stays.notifications.filter(({ subscribedResource }) => subscribedResource[0] === old);
    expect(ended).toMatchObject([{ newResourceURI: ["/edev/1/derp/1/derc"], status: ["2"] }]);
    const names = Object.keys(ended[0] ?? {}).filter((name) => name !== "$");
    expect(names).toEqual(["subscribedResource", "newResourceURI", "status", "subscriptionURI"]);
    // What is where it was goes on.
    await waitFor("what is left", () => (memory.get(`subscriptions.${before.lfdi(1)}`) as unknown[]).length === 1);
    expect(memory.get(`subscriptions.${before.lfdi(1)}`)).toMatchObject([{ terms: { resource: "/edev" } }]);
    await waitFor("nothing of the other", () => memory.keys("subscriptions.").length === 1);
  });

  test("deleted, when a device takes itself off the list", async () => {
    await using anew = await PolledSite.open([{ kind: "solar" }], { registration: "in-band" });
    const [own] = anew.credentials;
    if (own === undefined) throw new Error("no certificate");
    await using place = await NotifiedDevice.open(own, anew.ca);
    anew.adapters[0]?.start(anew.signal).catch(() => {});
    const body = sep("EndDevice", `<lFDI>${anew.lfdi()}</lFDI><sFDI>${sfdiFromLfdi(anew.lfdi())}</sFDI>`);
    expect((await anew.ask("/edev", { method: "POST", body })).status).toBe(201);
    await anew.ask(LIST, { method: "POST", body: terms(CONTROLS, place.uri) });
    expect((await anew.ask("/edev/1", { method: "DELETE" })).status).toBe(204);
    await waitFor("its end", () => place.notifications.length > 0);
    expect(place.notifications[0]).toMatchObject({ subscribedResource: [CONTROLS], status: ["4"] });
    expect(place.notifications[0]).not.toHaveProperty("Resource");
    expect((await anew.ask("/edev", { method: "POST", body })).status).toBe(201);
    expect((await anew.read(LIST))["SubscriptionList"]?.$["all"]).toBe("0");
  });
});
