import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CliError } from "../../src/cli/exit-code.ts";
import { addMeterCommand } from "../../src/cli/meter.ts";
import type { Parts } from "../../src/cli/parts.ts";
import { addSettleCommand } from "../../src/cli/settle.ts";
import { publicKeyText } from "../../src/market/signing-keys.ts";
import { IntervalLog } from "../../src/meter/interval-log.ts";
import { logFilesOf } from "../../src/meter/log-lines.ts";
import { parseRules } from "../../src/meter/rules-file.ts";
import { HandClock } from "../support/hand-clock.ts";
import { aCdr } from "../support/ocpi-objects.ts";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 5, 15, 12);

const RULES = `
currency: INR
direction: EXPORT
payer: { era: consumer-001, role: BUYER }
flows:
  - { name: energyCost, description: Energy sale, kind: energy, to: { era: prosumer-solar-001, role: SELLER } }
  - { name: wheelingCharges, kind: perKWh, ratePerKWh: 2, to: { era: grid-operator-utility, role: GRID_OPERATOR } }
  - { name: platformFee, kind: percent, percent: 10, of: gross, to: { era: aggregator-platform, role: AGGREGATOR } }
  - { name: tax, kind: tax, percent: "10", of: gross, mode: EXCLUSIVE, to: { era: government-tax, role: GOVERNMENT } }
`;

let folder: string;
let meter: string;
let rulesFile: string;
let publicKey: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "setpointd-meter-"));
  meter = join(folder, "meter");
  rulesFile = join(folder, "rules.yaml");
  writeFileSync(rulesFile, RULES);
  const { privateKey } = generateKeyPairSync("ed25519");
  publicKey = publicKeyText(privateKey);
  const log = await IntervalLog.open({ folder: meter, privateKey, clock: new HandClock(START) });
  for (const [index, exportWh] of [4000, 6000].entries()) {
    await log.append([
      {
        kind: "interval",
        era: "prosumer-solar-001",
        start: new Date(START + index * HOUR).toISOString(),
        end: new Date(START + (index + 1) * HOUR).toISOString(),
        quality: "MEASURED",
        exportWh,
        orderId: "order-energy-001",
        setpointId: "s1",
        setpointW: 5000,
        pricePerKWh: "6",
        currency: "INR",
      },
    ]);
  }
  await log[Symbol.asyncDispose]();
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs one command line of these two commands, as the program would. */
async function run(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const said = { stdout: "", stderr: "" };
  let code = 0;
  for (const stream of ["stdout", "stderr"] as const) {
    vi.spyOn(process[stream], "write").mockImplementation((text) => {
      said[stream] += String(text);
      return true;
    });
  }
  const program = new Command("setpointd").exitOverride();
  for (const add of [addMeterCommand, addSettleCommand]) {
    add(program, {} as Parts, (exitCode) => {
      code = exitCode;
    });
  }
  try {
    await program.parseAsync(argv, { from: "user" });
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    code = error.exitCode;
    said.stderr += error.message;
  } finally {
    vi.restoreAllMocks();
  }
  return { code, ...said };
}

/** Changes the log as somebody would who wants to be paid for more. */
function tamper(): void {
  const [file = ""] = logFilesOf(meter);
  writeFileSync(file, readFileSync(file, "utf8").replace(`"exportWh":6000`, `"exportWh":9000`));
}

describe("meter verify", () => {
  test("says that a log is sound, what it adds up to, and by which key", async () => {
    const ended = await run("meter", "verify", meter, "--key", publicKey);
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    expect(ended.stdout).toMatch(/prosumer-solar-001 .* 2 .* – +10\.000 kWh/);
    expect(ended.stdout).toMatch(/ok · records 1 to 4 \(4\) · closed/);
    expect(ended.stdout).toContain(publicKey);
  });

  test("without a key says that it took the log's own word", async () => {
    expect((await run("meter", "verify", meter)).stdout).toMatch(/the log's own word; give --key/);
  });

  test("names file, line and reason of the first wrong record, with exit code 1", async () => {
    tamper();
    const ended = await run("meter", "verify", meter);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(/\.jsonl:3 {2}CHANGED: record 3 does not have the hash of its content/);
    const json = JSON.parse((await run("meter", "verify", meter, "--json")).stdout);
    expect(json).toMatchObject({ schemaVersion: 1, valid: false, fault: { kind: "changed", line: 3, seq: 3 } });
  });

  test("takes the key from a file, and refuses another one's log", async () => {
    const keyFile = join(folder, "other.pub");
    writeFileSync(keyFile, `${publicKeyText(generateKeyPairSync("ed25519").privateKey)}\n`);
    const ended = await run("meter", "verify", meter, "--key", keyFile);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(/WRONG KEY/);
  });

  test("with --closed fails where the closing record was cut off", async () => {
    const [file = ""] = logFilesOf(meter);
    writeFileSync(file, `${readFileSync(file, "utf8").split("\n").slice(0, 3).join("\n")}\n`);
    expect((await run("meter", "verify", file)).code).toBe(0);
    const ended = await run("meter", "verify", file, "--closed");
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringMatching(/not closed/) });
  });

  test("says what is missing or misspelt: no file is 8, no key is 2", async () => {
    expect(await run("meter", "verify", join(folder, "none"))).toMatchObject({ code: 8 });
    expect(await run("meter", "verify", folder)).toMatchObject({
      code: 8,
      stderr: expect.stringMatching(/no interval log/),
    });
    expect(await run("meter", "verify", meter, "--key", "abc")).toMatchObject({ code: 2 });
  });
});

describe("settle", () => {
  test("shows who gets what of the seed's 100, as a table", async () => {
    const ended = await run("settle", "--log", meter, "--rules", rulesFile, "--key", publicKey);
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    expect(ended.stdout).toMatch(
      /Energy sale +10 kWh at each interval's price +consumer-001 → prosumer-solar-001 +60\.00 INR/,
    );
    expect(ended.stdout).toMatch(/tax +10 % of gross 100\.00 .* 10\.00 INR/);
    expect(ended.stdout).toMatch(/consumer-001 pays 100\.00 INR/);
  });

  test("gives the same as JSON, CSV and a page, under an id that the same log and rules give again", async () => {
    const [csv, page] = [join(folder, "r.csv"), join(folder, "r.html")];
    const first = await run("settle", "--log", meter, "--rules", rulesFile, "--json", "--csv", csv, "--page", page);
    const json = JSON.parse(first.stdout);
    const { settlementReport } = json.settlement;
    expect(settlementReport).toMatchObject({ totalAmount: 100, currency: "INR" });
    expect(readFileSync(csv, "utf8")).toContain("60.00,INR");
    expect(readFileSync(page, "utf8")).toContain(settlementReport.contentHash);
    const again = JSON.parse((await run("settle", "--log", meter, "--rules", rulesFile, "--json")).stdout);
    expect(again.settlement.settlementReport.reportId).toBe(settlementReport.reportId);
  });

  test("settles a house that takes and gives in one report, whose total is what is left", async () => {
    const house = join(folder, "house");
    const { privateKey } = generateKeyPairSync("ed25519");
    const log = await IntervalLog.open({ folder: house, privateKey, clock: new HandClock(START) });
    const hours = [
      { importWh: 5000, exportWh: 0 },
      { importWh: 0, exportWh: 3000 },
      { importWh: 1000, exportWh: 1000 },
    ];
    for (const [index, registers] of hours.entries()) {
      await log.append([
        {
          kind: "interval",
          era: "house",
          start: new Date(START + index * HOUR).toISOString(),
          end: new Date(START + (index + 1) * HOUR).toISOString(),
          quality: "MEASURED",
          pricePerKWh: "10",
          currency: "INR",
          ...registers,
        },
      ]);
    }
    await log[Symbol.asyncDispose]();
    writeFileSync(
      rulesFile,
      `
currency: INR
direction: IMPORT
payer: { era: house, role: PROSUMER }
flows:
  - { name: energyCost, kind: energy, to: { era: supplier, role: SELLER } }
  - { name: tax, kind: tax, percent: 10, of: net, mode: EXCLUSIVE, to: { era: state, role: GOVERNMENT } }
reverse:
  payer: { era: supplier, role: SELLER }
  flows:
    - { name: feedIn, kind: energy, pricePerKWh: 4, to: { era: house, role: PROSUMER } }
`,
    );
    const page = join(folder, "house.html");
    const json = JSON.parse(
      (await run("settle", "--log", house, "--rules", rulesFile, "--json", "--page", page)).stdout,
    );
    const { settlementCycles, revenueFlows, settlementReport } = json.settlement;
    // 6 kWh at 10 with 10 % tax, less 4 kWh at 4.
    expect(settlementReport.totalAmount).toBe(50);
    expect(settlementCycles.map((one: { direction: string; amount: number }) => [one.direction, one.amount])).toEqual([
      ["IMPORT", 66],
      ["EXPORT", -16],
    ]);
    expect(revenueFlows.map(({ amount }: { amount: number }) => amount)).toEqual([60, 6, -16]);
    // An hour with one direction stands on one side only.
    expect(settlementReport.meterReadings).toHaveLength(2 + 2);
    expect(readFileSync(page, "utf8")).toMatch(/energy given out/);
    writeFileSync(rulesFile, readFileSync(rulesFile, "utf8").replace("pricePerKWh: 4", "pricePerKWh: 20"));
    expect((await run("settle", "--log", house, "--rules", rulesFile)).stdout).toMatch(/house gets 14\.00 INR/);
  });

  test("settles an OCPI CDR of either version by the same rules, and none that does not add up", async () => {
    const cdrFile = join(folder, "cdr.json");
    writeFileSync(rulesFile, RULES.replace("EXPORT", "IMPORT"));
    for (const version of ["2.2.1", "2.3.0"] as const) {
      writeFileSync(cdrFile, JSON.stringify(aCdr(version)));
      const ended = await run("settle", "--cdr", cdrFile, "--rules", rulesFile);
      // 5.5 kWh at 18 are 99, with 2 for each kWh 110, and two shares of 10 % of the gross.
      expect(ended).toMatchObject({ code: 0, stderr: "" });
      expect(ended.stdout).toMatch(/Energy sale .* 99\.00 INR/);
      expect(ended.stdout).toMatch(/pays 137\.50 INR/);
    }
    writeFileSync(cdrFile, JSON.stringify(aCdr("2.2.1", { total_energy: 7 })));
    const off = await run("settle", "--cdr", cdrFile, "--rules", rulesFile);
    expect(off).toMatchObject({ code: 1, stderr: expect.stringMatching(/add up to 5\.5 kWh and total_energy is 7/) });
    writeFileSync(cdrFile, "{}");
    expect(await run("settle", "--cdr", cdrFile, "--rules", rulesFile)).toMatchObject({ code: 1 });
    expect(await run("settle", "--rules", rulesFile)).toMatchObject({ code: 2 });
  });

  test("settles nothing from a log that somebody changed", async () => {
    tamper();
    const ended = await run("settle", "--log", meter, "--rules", rulesFile);
    expect(ended).toMatchObject({ code: 1, stdout: "" });
    expect(ended.stderr).toMatch(/nothing is settled from a log that is not sound: .*:3 changed/);
  });

  test("says which intervals are in no amount", async () => {
    writeFileSync(rulesFile, RULES.replace("INR", "EUR"));
    const ended = await run("settle", "--log", meter, "--rules", rulesFile);
    expect(ended.stderr).toMatch(/2 intervals are in no amount/);
  });

  test("refuses rules that can't be used, by key, with exit code 2", async () => {
    writeFileSync(rulesFile, RULES.replace("of: gross,", "of: grosz,").replace("ratePerKWh: 2", "ratePerKWh: two"));
    const ended = await run("settle", "--log", meter, "--rules", rulesFile);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/rules\.yaml: flows\[1\]\.ratePerKWh: must be a decimal number/);
    expect(ended.stderr).toMatch(/rules\.yaml: flows\[2\]\.of: must be "energy", "net" or "gross"/);
    expect(await run("settle", "--log", meter, "--rules", join(folder, "none.yaml"))).toMatchObject({ code: 2 });
  });
});

test("rules are read exactly, and each kind has its own fields", () => {
  const party = "{ era: a, role: SELLER }";
  const read = (flow: string) =>
    parseRules(
      `currency: JPY\ndirection: IMPORT\nquantity: CLEARED\npayer: { era: p, role: BUYER }\nflows:\n  - ${flow}`,
      "r",
    ).rules.flows[0];
  expect(read(`{ name: e, kind: energy, pricePerKWh: 0.0912, to: ${party} }`)).toMatchObject({ microPerKWh: 91_200n });
  expect(read(`{ name: f, kind: fixed, amount: 120, to: ${party} }`)).toMatchObject({ amountMinor: 120n });
  expect(read(`{ name: r, kind: residual, to: ${party} }`)).toMatchObject({ weight: 1n });
  expect(
    read(`{ name: i, kind: imbalance, pricePerKWh: "-3", from: { era: b, role: SELLER }, to: ${party} }`),
  ).toMatchObject({ microPerKWh: -3_000_000n, from: { era: "b" } });
  expect(() => read(`{ name: f, kind: fixed, amount: "0.5", to: ${party} }`)).toThrow(
    /amount in JPY.*0 decimal places/,
  );
  expect(() => read(`{ name: e, kind: energy, pricePerKWh: "0.0000001", to: ${party} }`)).toThrow(/6 decimal places/);
  expect(() => read(`{ name: e, kind: energy, price: 1, to: ${party} }`)).toThrow(/price/);
  expect(() => read(`{ name: e, kind: energy, to: { era: p, role: BUYER } }`)).toThrow(/pay itself/);
});
