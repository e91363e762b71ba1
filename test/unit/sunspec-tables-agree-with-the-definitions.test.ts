import { describe, expect, test } from "vitest";
import { sizeOf } from "../../adapters/modbus/sunspec/model-block.ts";
import type { ModelTable, Point } from "../../adapters/modbus/sunspec/model-table.ts";
import * as controls from "../../adapters/modbus/sunspec/models-control.ts";
import * as measurements from "../../adapters/modbus/sunspec/models-measurement.ts";
import { fixtureJson, hasFixtures } from "./sunspec-register-image.ts";

interface Definition {
  readonly group: { readonly points: readonly DefinedPoint[] };
}

interface DefinedPoint {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly sf?: string;
  readonly access?: string;
}

const tables: readonly ModelTable[] = [...Object.values(measurements), ...Object.values(controls)];

describe.skipIf(!hasFixtures)("point tables against the published definitions (skipped without ../shared)", () => {
  for (const table of tables) {
    for (const id of table.ids) {
      test(`model ${id}: every point lies where the definition says, with its type and scale`, () => {
        const { group } = fixtureJson(`models/model_${id}.json`) as Definition;
        for (const [name, point] of Object.entries<Point>(table.points)) {
          const index = group.points.findIndex((defined) => defined.name === name);
          const defined = group.points[index];
          const offset = group.points.slice(0, Math.max(index, 0)).reduce((sum, each) => sum + each.size, 0);
          expect({ name, type: point.type, offset: point.offset, size: sizeOf(point), scale: point.scale }).toEqual({
            name,
            type: defined?.type,
            offset,
            size: defined?.size,
            scale: defined?.sf,
          });
        }
      });
    }
  }

  test("every point that a command writes is writable", () => {
    const written: Readonly<Record<number, readonly string[]>> = {
      123: ["WMaxLimPct", "WMaxLimPct_WinTms", "WMaxLimPct_RvrtTms", "WMaxLimPct_RmpTms", "WMaxLim_Ena"],
      124: ["StorCtl_Mod", "OutWRte", "InWRte", "InOutWRte_WinTms", "InOutWRte_RvrtTms", "InOutWRte_RmpTms"],
      704: [
        "WMaxLimPctEna",
        "WMaxLimPct",
        "WMaxLimPctRvrt",
        "WMaxLimPctEnaRvrt",
        "WMaxLimPctRvrtTms",
        "WSet",
        "WSetEna",
      ],
    };
    for (const [id, names] of Object.entries(written)) {
      const { group } = fixtureJson(`models/model_${id}.json`) as Definition;
      for (const name of names) expect(group.points.find((point) => point.name === name)?.access, name).toBe("RW");
    }
  });
});
