import { afterEach, describe, expect, test } from "vitest";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";
import { BOOT_16, dialIn, openGateway, WILLING } from "./ocpp-raw-charger.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

const now = () => new Date().toISOString();
const YESTERDAY = new Date(Date.now() - 86_400_000).toISOString();
const TOMORROW = `${new Date(Date.now() + 86_400_000).toISOString().slice(0, 19)}Z`;
const BOOT_201 = { reason: "PowerUp", chargingStation: { vendorName: "V", model: "M" } };

const TAGS = [
  { tag: "04A1B2C3", expires: TOMORROW, parent: "FLEET" },
  { tag: "OLD", expires: YESTERDAY },
  { tag: "STOLEN", blocked: true },
];

type Options = NonNullable<Parameters<typeof openGateway>[0]>;

async function connect(options: Options, dial: NonNullable<Parameters<typeof dialIn>[1]> = {}) {
  const gateway = await openGateway(options);
  open.push(gateway);
  const charger = await dialIn(gateway.url, { ...dial, answers: { ...WILLING, ...dial.answers } });
  open.push(charger);
  await charger.call("BootNotification", dial.version === "ocpp2.0.1" ? BOOT_201 : BOOT_16);
  const authorize = async (idTag: string) => (await charger.call("Authorize", { idTag }))[2];
  return { gateway, charger, authorize };
}

describe("an answer to a card", () => {
  test("is yes to all where charging is open", async () => {
    const { authorize } = await connect({ shared: { idTags: TAGS } });
    expect(await authorize("ANYBODY")).toEqual({ idTagInfo: { status: "Accepted" } });
  });

  test("follows the list: known, expired, blocked, unknown, in any case of letters", async () => {
    const { authorize } = await connect({ shared: { idTags: TAGS }, devices: [{ authorization: "list" }] });
    const yes = { idTagInfo: { status: "Accepted", expiryDate: TOMORROW, parentIdTag: "FLEET" } };
    expect(await authorize("04A1B2C3")).toEqual(yes);
    expect(await authorize("04a1b2c3")).toEqual(yes);
    expect(await authorize("OLD")).toMatchObject({ idTagInfo: { status: "Expired" } });
    expect(await authorize("STOLEN")).toMatchObject({ idTagInfo: { status: "Blocked" } });
    expect(await authorize("ANYBODY")).toEqual({ idTagInfo: { status: "Invalid" } });
  });

  test("is given at the start of a transaction too, and one card charges one car", async () => {
    const { charger } = await connect({
      shared: { idTags: TAGS },
      devices: [
        { authorization: "list", connector: 1 },
        { authorization: "list", connector: 2 },
      ],
    });
    const start = async (connectorId: number, idTag: string) =>
      (await charger.call("StartTransaction", { connectorId, idTag, meterStart: 0, timestamp: now() }))[2];
    expect(await start(1, "04A1B2C3")).toMatchObject({ idTagInfo: { status: "Accepted" } });
    expect(await start(2, "04A1B2C3")).toMatchObject({ idTagInfo: { status: "ConcurrentTx" } });
    // A transaction all the same: the charger ends it, and tells so under this id.
    expect(await start(2, "ANYBODY")).toMatchObject({
      idTagInfo: { status: "Invalid" },
      transactionId: expect.any(Number),
    });
  });

  test("where only we start sessions it is yes to our own token while we wait for it", async () => {
    const { gateway, charger, authorize } = await connect(
      { devices: [{ authorization: "deny", sessionStartTimeoutS: 5 }] },
      { answers: { RemoteStartTransaction: () => ({ status: "Accepted" }) } },
    );
    expect(await authorize("SETPOINTD")).toEqual({ idTagInfo: { status: "Invalid" } });
    const started = gateway.adapter.sessions?.start({}, gateway.signal);
    await waitFor("the call", () => charger.of("RemoteStartTransaction").length === 1);
    expect(await authorize("SETPOINTD")).toEqual({ idTagInfo: { status: "Accepted" } });
    expect(await authorize("ANYBODY")).toEqual({ idTagInfo: { status: "Invalid" } });
    await charger.call("StartTransaction", { connectorId: 1, idTag: "SETPOINTD", meterStart: 0, timestamp: now() });
    await started;
  });

  test("has the words of 2.0.1 there", async () => {
    const { charger } = await connect(
      { shared: { idTags: TAGS }, devices: [{ authorization: "list" }] },
      { version: "ocpp2.0.1" },
    );
    const idToken = { idToken: "04A1B2C3", type: "ISO14443" };
    const info = {
      status: "Accepted",
      cacheExpiryDateTime: TOMORROW,
      groupIdToken: { idToken: "FLEET", type: "Central" },
    };
    expect((await charger.call("Authorize", { idToken }))[2]).toEqual({ idTokenInfo: info });
    const event = {
      eventType: "Started",
      timestamp: now(),
      triggerReason: "Authorized",
      seqNo: 0,
      evse: { id: 1 },
      transactionInfo: { transactionId: "t" },
    };
    const free = { ...event, idToken: { idToken: "", type: "NoAuthorization" } };
    expect((await charger.call("TransactionEvent", free))[2]).toEqual({ idTokenInfo: { status: "Invalid" } });
    expect((await charger.call("TransactionEvent", { ...event, seqNo: 1, idToken }))[2]).toEqual({ idTokenInfo: info });
  });
});

describe("the charger's own list", () => {
  const many = Array.from({ length: 7 }, (_, index) => ({ tag: `TAG-${index}` }));
  const answers = (version: number, keys: Record<string, string> = {}) => ({
    GetLocalListVersion: () => ({ listVersion: version }),
    GetConfiguration: () => ({
      configurationKey: Object.entries(keys).map(([key, value]) => ({ key, readonly: true, value })),
    }),
    SendLocalList: () => ({ status: "Accepted" }),
  });
  const device = { authorization: "list" as const, idTags: many };

  test("is sent whole, in pieces as large as the charger takes, and cut to what it can hold", async () => {
    const { charger } = await connect(
      { devices: [device] },
      { answers: answers(3, { LocalAuthListMaxLength: "5", SendLocalListMaxLength: "2" }) },
    );
    await waitFor("three pieces", () => charger.of("SendLocalList").length === 3, 8000);
    const sent = charger.of("SendLocalList") as {
      listVersion: number;
      updateType: string;
      localAuthorizationList: { idTag: string }[];
    }[];
    expect(sent.map(({ listVersion, updateType }) => [listVersion, updateType])).toEqual([
      [4, "Full"],
      [5, "Differential"],
      [6, "Differential"],
    ]);
    expect(sent.flatMap((one) => one.localAuthorizationList.map(({ idTag }) => idTag))).toEqual([
      "TAG-0",
      "TAG-1",
      "TAG-2",
      "TAG-3",
      "TAG-4",
    ]);
    expect(charger.of("ChangeConfiguration")).toContainEqual({ key: "LocalAuthListEnabled", value: "true" });
  });

  test("is not sent again while the charger has it, also after a restart, and is when it changed", async () => {
    const memory = volatileMemory();
    const first = await connect({ devices: [device], memory }, { answers: answers(0) });
    await waitFor("the list", () => first.charger.of("SendLocalList").length === 1, 8000);
    await first.charger.hangUp();

    const again = await connect({ devices: [device], memory }, { answers: answers(1) });
    await waitFor("the question", () => again.charger.of("GetLocalListVersion").length === 1, 8000);
    const asksForLimits = (payload: object) => JSON.stringify(payload).includes("LocalAuthListMaxLength");
    await waitFor("the limits", () => again.charger.of("GetConfiguration").some(asksForLimits), 8000);
    await again.charger.call("Heartbeat", {});
    expect(again.charger.of("SendLocalList")).toEqual([]);

    const fewer = { ...device, idTags: many.slice(0, 1) };
    const changed = await connect({ devices: [fewer], memory }, { answers: answers(1) });
    await waitFor("the new list", () => changed.charger.of("SendLocalList").length === 1, 8000);
    expect(changed.charger.of("SendLocalList")[0]).toMatchObject({ listVersion: 2, updateType: "Full" });

    const opened = await connect({ devices: [{}], memory }, { answers: answers(2) });
    await waitFor("the empty list", () => opened.charger.of("SendLocalList").length === 1, 8000);
    expect(opened.charger.of("SendLocalList")[0]).toMatchObject({ listVersion: 3, localAuthorizationList: [] });
  });

  test("a charger that keeps none, or a site without one, is left alone", async () => {
    const none = await connect({ devices: [device] }, { answers: answers(-1) });
    await waitFor("the question", () => none.charger.of("GetLocalListVersion").length === 1, 8000);
    const free = await connect({ devices: [{}] }, { answers: answers(0) });
    await waitFor("the set-up", () => free.charger.of("TriggerMessage").length >= 2, 8000);
    await free.charger.call("Heartbeat", {});
    expect(none.charger.of("SendLocalList")).toEqual([]);
    expect(free.charger.of("GetLocalListVersion")).toEqual([]);
  });
});
