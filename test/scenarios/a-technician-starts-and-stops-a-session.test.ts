import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { run } from "../support/command-line.ts";
import { Site } from "../support/site.ts";
import { waitFor } from "../support/wait-for.ts";
import { BOOT_16, dialIn, WILLING } from "../unit/ocpp-raw-charger.ts";

const yes = () => ({ status: "Accepted" });

test("from the command line: start, sessions, reserve and stop, through the running daemon", async () => {
  await using site = new Site({ devices: [{ era: "bay-1", kind: "charger", ocpp: { identity: "CP-1" } }] });
  await site.start();
  const file = join(site.folder, "site.yaml");
  writeFileSync(
    file,
    "site: { name: test site }\ndata: data\ndevices: [{ era: bay-1, kind: charger, ocpp: { identity: CP-1 } }]\n",
  );
  const answers = { ...WILLING, RemoteStartTransaction: yes, RemoteStopTransaction: yes, ReserveNow: yes };
  await using charger = await dialIn(site.address("ocpp"), { answers });
  await charger.call("BootNotification", BOOT_16);
  const ocpp = (...args: string[]) => run("ocpp", ...args, "--config", file);

  expect(await ocpp("stop", "bay-1")).toMatchObject({ code: 1, stderr: expect.stringContaining("no session runs") });
  expect(await ocpp("start", "bay-9")).toMatchObject({ stderr: expect.stringContaining('no charger "bay-9"') });
  expect(await ocpp("reserve", "bay-1", "--minutes", "0")).toMatchObject({
    stderr: expect.stringContaining("--minutes: expected more than 0"),
  });
  expect((await ocpp("reserve", "bay-1", "--minutes", "30")).stdout).toContain("reserved until");

  const starting = ocpp("start", "CP-1", "--token", "04A1B2C3");
  await waitFor("the remote start", () => charger.of("RemoteStartTransaction").length === 1);
  const start = { connectorId: 1, idTag: "04A1B2C3", meterStart: 1000, timestamp: new Date().toISOString() };
  const { transactionId } = (await charger.call("StartTransaction", start))[2] as { transactionId: number };
  expect(await starting).toMatchObject({ code: 0, stdout: `session ${transactionId} has begun\n` });

  const stopping = ocpp("stop", "bay-1", "--json");
  await waitFor("the remote stop", () => charger.of("RemoteStopTransaction").length === 1);
  const stop = { transactionId, meterStop: 3345, timestamp: new Date().toISOString(), reason: "Remote" };
  await charger.call("StopTransaction", stop);
  expect(JSON.parse((await stopping).stdout)).toEqual({ sessionId: String(transactionId) });

  const shown = await ocpp("sessions");
  expect(shown.stdout).toContain("2.345 kWh");
  expect(shown.stdout).toContain("Remote");
  expect(shown.stdout).not.toContain("04A1B2C3");
}, 180_000);
