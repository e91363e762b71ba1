import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { batteryRates124 } from "../../adapters/modbus/sunspec/battery-rates-124.ts";
import { batterySetpoint704 } from "../../adapters/modbus/sunspec/battery-setpoint-704.ts";
import { sizeOf } from "../../adapters/modbus/sunspec/model-block.ts";
import type { Point } from "../../adapters/modbus/sunspec/model-table.ts";
import { allTables } from "../../adapters/modbus/sunspec/models/all-tables.ts";
import { solarLimit123 } from "../../adapters/modbus/sunspec/solar-limit-123.ts";
import { solarLimit704 } from "../../adapters/modbus/sunspec/solar-limit-704.ts";
import { FIXTURES, fixtureJson, hasFixtures } from "./sunspec-register-image.ts";

interface Definition {
  readonly group: DefinedGroup;
}

interface DefinedGroup {
  readonly name: string;
  readonly count?: number | string;
  readonly points: readonly DefinedPoint[];
  readonly groups?: readonly DefinedGroup[];
}

interface DefinedPoint {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly sf?: string;
  readonly units?: string;
  readonly access?: string;
}

/** What model 201 calls otherwise than 202 to 204, at the same places. */
const RENAMED: Readonly<Record<string, string>> = { PPVphAB: "PhVphAB", PPVphBC: "PhVphBC", PPVphCA: "PhVphCA" };

/** Each point of a list with the offset at which it begins. */
function placed(points: readonly DefinedPoint[], from: number) {
  let offset = from;
  return points.map((point) => {
    const at = offset;
    offset += point.size;
    return { point, offset: at };
  });
}

const widthOf = (points: readonly DefinedPoint[]) => points.reduce((sum, each) => sum + each.size, 0);

function facts(name: string, point: Point) {
  const { offset, type, scale, unit, writable } = point;
  return { name, offset, type, size: sizeOf(point), scale, unit, writable };
}

function definedFacts(name: string, { point, offset }: { point: DefinedPoint; offset: number }) {
  return {
    name,
    offset,
    type: point.type,
    size: point.size,
    scale: point.sf,
    unit: point.units?.trim(),
    writable: point.access === "RW" ? true : undefined,
  };
}

describe.skipIf(!hasFixtures)("point tables against the published definitions (skipped without ../shared)", () => {
  const ids = allTables.flatMap((table) => table.ids);

  test("the models are those that inverters, batteries and meters have", () => {
    expect([...ids].sort((a, b) => a - b)).toEqual([
      1, 101, 102, 103, 111, 112, 113, 120, 121, 122, 123, 124, 160, 201, 202, 203, 204, 211, 212, 213, 214, 701, 702,
      703, 704, 713, 714, 715, 802,
    ]);
  });

  for (const table of allTables) {
    for (const id of table.ids) {
      test(`model ${id}: every point lies where the definition says, with its type, scale and unit, and none is missing`, () => {
        const { group } = fixtureJson(`models/model_${id}.json`) as Definition;
        const isReal = ({ point }: { point: DefinedPoint }) => point.type !== "pad";
        const defined = placed(group.points, 0)
          .filter((each) => isReal(each) && each.point.name !== "ID" && each.point.name !== "L")
          .map((each) => definedFacts((id === 201 && RENAMED[each.point.name]) || each.point.name, each));
        let end = widthOf(group.points);
        for (const inner of group.groups ?? []) {
          if (inner.count === undefined) {
            for (const each of placed(inner.points, end)) {
              defined.push(definedFacts(`${inner.name}.${each.point.name}`, each));
            }
          } else {
            expect(table.group).toMatchObject({ name: inner.name, offset: end, size: widthOf(inner.points) });
            expect(table.group?.count).toBe(typeof inner.count === "string" ? inner.count : undefined);
            expect(Object.entries(table.group?.points ?? {}).map(([name, point]) => facts(name, point))).toEqual(
              placed(inner.points, 0)
                .filter(isReal)
                .map((each) => definedFacts(each.point.name, each)),
            );
          }
          end += widthOf(inner.points);
        }
        expect(Object.entries<Point>(table.points).map(([name, point]) => facts(name, point))).toEqual(defined);
      });
    }
  }

  test("the script writes the tables anew as they stand here", () => {
    const target = mkdtempSync(join(tmpdir(), "setpointd-tables-"));
    try {
      const root = resolve(import.meta.dirname, "../..");
      const script = join(root, "scripts/sunspec-tables.mjs");
      execFileSync(process.execPath, [script, join(FIXTURES, "models"), target]);
      const files = readdirSync(target);
      expect(files.length).toBeGreaterThan(15);
      for (const file of files) {
        const kept = readFileSync(join(root, "adapters/modbus/sunspec/models", file), "utf8");
        expect(readFileSync(join(target, file), "utf8"), file).toBe(kept);
      }
    } finally {
      rmSync(target, { recursive: true });
    }
  });
});

test("every point that a command may write is writable", () => {
  for (const control of [solarLimit704(0), solarLimit123(1), batterySetpoint704, batteryRates124]) {
    for (const name of control.written) expect(control.table.points[name], name).toMatchObject({ writable: true });
  }
});
