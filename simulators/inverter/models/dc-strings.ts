import type { Model } from "../model.ts";
import { type Device, operatingState, scaleThatFits } from "../operating-state.ts";
import type { PointRow } from "../point.ts";

const FIXED_ROWS: readonly PointRow[] = [
  ["DCA_SF", 2, "sunssf"],
  ["DCV_SF", 3, "sunssf"],
  ["DCW_SF", 4, "sunssf"],
  ["DCWH_SF", 5, "sunssf"],
  ["Evt", 6, "bitfield32"],
  ["N", 8, "uint16"],
  ["TmsPer", 9, "uint16"],
];

/** The points of each module, offsets from its first. */
const MODULE_ROWS: readonly PointRow[] = [
  ["ID", 0, "uint16"],
  ["IDStr", 1, "string8"],
  ["DCA", 9, "uint16", "DCA_SF"],
  ["DCV", 10, "uint16", "DCV_SF"],
  ["DCW", 11, "uint16", "DCW_SF"],
  ["DCWH", 12, "acc32", "DCWH_SF"],
  ["Tms", 14, "uint32"],
  ["Tmp", 16, "int16"],
  ["DCSt", 17, "enum16"],
  ["DCEvt", 18, "bitfield32"],
];

const FIRST_MODULE = 10;
const MODULE_SIZE = 20;

interface DcModule {
  readonly name: string;
  readonly powerKW: number;
  readonly energyKWh: number;
}

/**
 * Model 160: what flows on the other side of the converter. Panels in two strings; a battery as two modules, one that
 * counts what goes into the cells and one for what comes out, since DCW has no sign.
 */
export function dcStringsModel(device: Device): Model {
  const { plant } = device;
  const rows = [1, 2].flatMap((place) =>
    MODULE_ROWS.map(
      ([name, offset, type, scale]): PointRow => [
        `${place}.${name}`,
        FIRST_MODULE + (place - 1) * MODULE_SIZE + offset,
        type,
        scale,
      ],
    ),
  );
  return {
    id: 160,
    rows: [...FIXED_ROWS, ...rows],
    scales: { DCA_SF: -2, DCV_SF: -1, DCW_SF: scaleThatFits(2000 * plant.ratingKW, 65_534, 0), DCWH_SF: 0 },
    values: () => {
      const now = plant.measure();
      const dcKW = plant.dcPowerKW(now.powerKW);
      const modules: readonly DcModule[] = plant.isBattery
        ? [
            { name: "Charge", powerKW: Math.max(0, -dcKW), energyKWh: now.importKWh },
            { name: "Discharge", powerKW: Math.max(0, dcKW), energyKWh: now.exportKWh },
          ]
        : [0.6, 0.4].map((share, index) => ({
            name: `String ${index + 1}`,
            powerKW: share * dcKW,
            energyKWh: share * now.exportKWh,
          }));
      const state = operatingState(device, now);
      const points = modules.flatMap(({ name, powerKW, energyKWh }, index) =>
        Object.entries({
          ID: index + 1,
          IDStr: name,
          DCA: (powerKW * 1000) / plant.dcVoltageV,
          DCV: plant.dcVoltageV,
          DCW: powerKW * 1000,
          DCWH: energyKWh * 1000,
          DCSt: state,
          DCEvt: 0,
        }).map(([point, value]) => [`${index + 1}.${point}`, value]),
      );
      return { Evt: 0, N: modules.length, ...Object.fromEntries(points) };
    },
  };
}
