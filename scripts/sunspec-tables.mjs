// Writes adapters/modbus/sunspec/models/ from the facts of the SunSpec model definitions (github.com/sunspec/models, folder
// json): name, offset, type, scale factor, unit and access of each point, and nothing of their texts.
//
//   node scripts/sunspec-tables.mjs FOLDER [TARGET]     FOLDER holds model_1.json, model_101.json, …

import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** Points that one model of a row names otherwise than its sisters. */
const ALIASES = { PPVphAB: "PhVphAB", PPVphBC: "PhVphBC", PPVphCA: "PhVphCA" };

/** Tables by the file they go to. Models in one row share their layout, or the script stops. */
const TABLES = [
  { file: "common", name: "common", ids: [1], what: "Who made it." },
  {
    file: "inverter-integer",
    name: "inverterInteger",
    ids: [101, 102, 103],
    what: "Inverter of one, two (split) or three phases, integers.",
  },
  {
    file: "inverter-float",
    name: "inverterFloat",
    ids: [111, 112, 113],
    what: "Inverter of one, two (split) or three phases, floats.",
  },
  { file: "nameplate", name: "nameplate", ids: [120], what: "What the hardware was built for." },
  {
    file: "settings",
    name: "settings",
    ids: [121],
    what: "What the installer allows, and the base of the percentages in 123.",
  },
  {
    file: "status",
    name: "status",
    ids: [122],
    what: "Extended status: what the sun would give, which controls are active.",
  },
  {
    file: "immediate-controls",
    name: "immediateControls",
    ids: [123],
    what: "Immediate controls. Writing 0 to `Conn` disconnects the plant.",
  },
  { file: "storage-controls", name: "storageControls", ids: [124], what: "Basic storage control." },
  { file: "mppt", name: "mppt", ids: [160], what: "DC inputs, one group each." },
  { file: "meter-integer", name: "meterInteger", ids: [201, 202, 203, 204], what: "Meter, integers." },
  { file: "meter-float", name: "meterFloat", ids: [211, 212, 213, 214], what: "Meter, floats." },
  { file: "der-measurement", name: "derMeasurement", ids: [701], what: "AC measurement of a DER." },
  {
    file: "der-capacity",
    name: "derCapacity",
    ids: [702],
    what: "Ratings of a DER, and the settings that lower them.",
  },
  { file: "enter-service", name: "enterService", ids: [703], what: "When a DER may come back to the grid." },
  {
    file: "der-controls",
    name: "derControls",
    ids: [704],
    what: "AC controls of a DER: a limit in percent, and the only signed setpoint in watts that SunSpec has.",
  },
  { file: "der-storage", name: "derStorage", ids: [713], what: "Storage of a DER." },
  { file: "dc-measurement", name: "dcMeasurement", ids: [714], what: "DC ports of a DER, one group each." },
  { file: "der-operation", name: "derOperation", ids: [715], what: "Local or remote, and the heartbeats." },
  { file: "battery-bank", name: "batteryBank", ids: [802], what: "A battery bank." },
];

const HEADER = "// Written by scripts/sunspec-tables.mjs from the facts of github.com/sunspec/models. Do not edit.\n\n";

const folder = process.argv[2];
if (folder === undefined) {
  process.stderr.write("usage: node scripts/sunspec-tables.mjs FOLDER [TARGET]\n");
  process.exit(2);
}
const target = process.argv[3] ?? resolve(import.meta.dirname, "../adapters/modbus/sunspec/models");

for (const { file, name, ids, what } of TABLES) {
  const layouts = ids.map((id) => layoutOf(id, name === "meterInteger"));
  const [first, ...others] = layouts;
  for (const [index, other] of others.entries()) {
    if (other !== first) throw new Error(`models ${ids[0]} and ${ids[index + 1]} do not share their layout`);
  }
  const text = `${HEADER}import type { ModelTable } from "../model-table.ts";\n\n/** ${what} */\nexport const ${name} = {\n  ids: [${ids.join(", ")}],\n${first}} as const satisfies ModelTable;\n`;
  writeFileSync(join(target, `${file}.ts`), text);
}

/** Index of all tables, for a reader that knows only the number of a model. */
const imports = [...TABLES].sort((a, b) => (a.file < b.file ? -1 : 1));
writeFileSync(
  join(target, "all-tables.ts"),
  `${HEADER}import type { ModelTable } from "../model-table.ts";\n${imports
    .map(({ file, name }) => `import { ${name} } from "./${file}.ts";\n`)
    .join(
      "",
    )}\n/** Every model that can be decoded. */\nexport const allTables: readonly ModelTable[] = [\n${TABLES.map(({ name }) => `  ${name},\n`).join("")}];\n`,
);

function layoutOf(id, alias) {
  const { group } = JSON.parse(readFileSync(join(folder, `model_${id}.json`), "utf8"));
  let at = 0;
  const rows = [];
  const take = (points, prefix) => {
    for (const point of points) {
      const isHeader = prefix === "" && (point.name === "ID" || point.name === "L");
      const name = (alias && ALIASES[point.name]) || point.name;
      if (!isHeader && point.type !== "pad") rows.push(rowOf({ ...point, name }, prefix, at));
      at += point.size;
    }
  };
  take(group.points, "");
  let repeating = "";
  for (const part of group.groups ?? []) {
    if (part.groups !== undefined) throw new Error(`model ${id}: groups in groups are not known here`);
    if (part.count === undefined || part.count === 1) {
      take(part.points, `${part.name}.`);
      continue;
    }
    let inner = 0;
    const innerRows = part.points.flatMap((point) => {
      const row = point.type === "pad" ? [] : [rowOf(point, "", inner)];
      inner += point.size;
      return row;
    });
    const count = typeof part.count === "string" ? ` count: "${part.count}",` : "";
    repeating = `  group: {\n    name: "${part.name}",\n    offset: ${at},\n    size: ${inner},\n${count && `   ${count}\n`}    points: {\n${innerRows.map((row) => `      ${row}\n`).join("")}    },\n  },\n`;
  }
  return `  points: {\n${rows.map((row) => `    ${row}\n`).join("")}  },\n${repeating}`;
}

function rowOf({ name, type, size, sf, units, access }, prefix, offset) {
  if (sf !== undefined && typeof sf !== "string") throw new Error(`${name}: a fixed scale is not known here`);
  const key = `${prefix}${name}`;
  const parts = [
    `offset: ${offset}`,
    `type: ${JSON.stringify(type)}`,
    ...(type === "string" ? [`words: ${size}`] : []),
    ...(sf === undefined ? [] : [`scale: ${JSON.stringify(sf)}`]),
    ...(units === undefined ? [] : [`unit: ${JSON.stringify(units.trim())}`]),
    ...(access === "RW" ? ["writable: true"] : []),
  ];
  return `${/^[A-Za-z_]\w*$/.test(key) ? key : JSON.stringify(key)}: { ${parts.join(", ")} },`;
}
