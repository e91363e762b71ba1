import { posix } from "node:path";
import { describe, expect, test } from "vitest";
import { curveFault } from "../../src/model/bid-curve.ts";
import {
  curvesIn,
  EXAMPLES,
  extensionsIn,
  isThere,
  type Json,
  pages,
  SCHEMA_NAMES,
  schemaFaults,
  textFile,
} from "../support/docs-library.ts";
import { termFaults } from "../support/docs-terms.ts";

const USE_CASES = [
  "ev-charging",
  "ev-demand-flexibility",
  "p2p",
  "p2p-market",
  "demand-flexibility",
  "vpp",
  "grid-services",
  "settlement",
];
const PATTERNS = ["ocpp", "ieee2030-5", "modbus-sunspec", "coap", "ocpi", "beckn-onix", "mqtt-nat"];

const PAGES = pages();

interface Block {
  readonly page: string;
  readonly language: string;
  readonly text: string;
}

const BLOCKS: readonly Block[] = PAGES.flatMap((page) =>
  [...textFile(page).matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = "", text = ""]) => ({
    page,
    language,
    text,
  })),
);

describe("links", () => {
  const links = PAGES.flatMap((page) =>
    [...withoutCode(textFile(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => ({ page, target })),
  ).filter(({ target }) => !/^[a-z]+:/.test(target));

  test("of all pages lead to something that is there", () => {
    expect(links.length).toBeGreaterThan(100);
    const broken = links.filter(({ page, target }) => !leadsSomewhere(page, target));
    expect(broken).toEqual([]);
  });

  test("a link to nowhere is found", () => {
    expect(leadsSomewhere("docs/README.md", "use-cases/none.md")).toBe(false);
    expect(leadsSomewhere("docs/README.md", "seed-faults.md#z-none")).toBe(false);
    expect(leadsSomewhere("docs/README.md", "seed-faults.md#a-step-or-line")).toBe(true);
  });

  test("every example is shown on a page, and every schema in the list", () => {
    const targets = new Set(links.map(({ page, target }) => resolved(page, target).path));
    const unseen = EXAMPLES.map(({ name }) => `docs/schema/examples/${name}.json`).filter((path) => !targets.has(path));
    expect(unseen).toEqual([]);
    for (const name of SCHEMA_NAMES) {
      expect(targets).toContain(`docs/schema/${name}/v1/schema.json`);
      expect(targets).toContain(`docs/schema/${name}/v1/context.jsonld`);
    }
  });
});

describe("JSON in pages", () => {
  const json = BLOCKS.filter(({ language }) => language === "json" || language === "jsonc");

  test.each(json)("of $page is what its schemas, its contexts and its curves say", ({ text }) => {
    const value = JSON.parse(text) as Json;
    const found = extensionsIn(value);
    expect(found.flatMap(({ schema, value: part }) => schemaFaults(schema, part))).toEqual([]);
    const rooted = found.filter(({ value: part }) => part["@context"] !== undefined);
    expect(rooted.flatMap(({ value: part }) => termFaults(part, new Map()))).toEqual([]);
    for (const { points } of curvesIn(value)) {
      const read = points.map((one) => ({ pricePerKWh: Number(one["price"]), powerKW: Number(one["powerKW"]) }));
      expect(curveFault(read)).toBeUndefined();
    }
  });
});

describe("pages", () => {
  test.each(USE_CASES)("use case %s has a command, a diagram, its messages and its numbers", (name) => {
    const text = textFile(`docs/use-cases/${name}.md`);
    expect(text).toContain(`setpointd scenario ${name}`);
    expect(text).toContain("```mermaid\nsequenceDiagram");
    expect(text).toContain("## Numbers");
    expect(text).toContain(`(../schema/examples/${name}.`);
    expect(textFile("docs/README.md")).toContain(`(use-cases/${name}.md)`);
  });

  test.each(PATTERNS)("integration pattern %s has a diagram and a table", (name) => {
    const text = textFile(`docs/integration/${name}.md`);
    expect(text).toContain("```mermaid\nsequenceDiagram");
    expect(text).toMatch(/^\| --- \|/m);
    expect(textFile("docs/README.md")).toContain(`(integration/${name}.md)`);
  });

  test.each(["ocpp", "ieee2030-5", "modbus-sunspec", "coap"])(
    "%s has setpoint out, telemetry back, capability to curve",
    (name) => {
      const text = textFile(`docs/integration/${name}.md`);
      for (const part of ["## Setpoint out", "## Telemetry back", "## Capability to curve"])
        expect(text).toContain(part);
    },
  );

  test("each fault of the seed has a section and a test", () => {
    const text = textFile("docs/seed-faults.md");
    const tests = textFile("test/unit/docs-each-fault-of-the-seed-has-an-answer.test.ts");
    for (const letter of "abcdefghijklmnopqrst") {
      expect(text, letter).toMatch(new RegExp(`^## ${letter}\\. `, "m"));
      expect(tests, letter).toMatch(new RegExp(`["]${letter}\\. `));
    }
  });
});

describe("diagrams", () => {
  const diagrams = BLOCKS.filter(({ language }) => language === "mermaid");

  test("there is one for each use case and each pattern", () => {
    expect(new Set(diagrams.map(({ page }) => page)).size).toBe(USE_CASES.length + PATTERNS.length);
  });

  test.each(diagrams)("of $page is well formed", ({ text }) => {
    expect(diagramFaults(text)).toEqual([]);
  });

  test("what is wrong in a diagram is found", () => {
    const head = "sequenceDiagram\n  participant A\n  participant B as Bee\n";
    expect(diagramFaults(`${head}  A->>B: hello\n  Note over A,B: both\n`)).toEqual([]);
    expect(diagramFaults("graph TD\n")).toEqual(["it does not begin with sequenceDiagram"]);
    expect(diagramFaults(`${head}  A->>C: hello\n`)).toEqual(["line 4: C is not declared"]);
    expect(diagramFaults(`${head}  A=>B: hello\n`)).toEqual(["line 4: not understood: A=>B: hello"]);
    expect(diagramFaults(`${head}  A->>B\n`)).toEqual(["line 4: not understood: A->>B"]);
    expect(diagramFaults(`${head}  loop x\n  A->>B: y\n`)).toEqual(["1 block has no end"]);
    expect(diagramFaults(`${head}  end\n`)).toEqual(["line 4: end without a block"]);
    expect(diagramFaults(`${head}  loop x\n  and y\n  end\n`)).toEqual(["line 5: and outside of par"]);
    expect(diagramFaults(`${head}  A->>B: one; two\n`)).toEqual(["line 4: a semicolon ends a statement"]);
    expect(diagramFaults(`${head}  participant A\n`)).toEqual(["line 4: A is declared twice"]);
  });
});

/** Text without what stands in code, where brackets and parentheses are no links. */
function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```$/gm, "").replace(/`[^`\n]*`/g, "");
}

function resolved(page: string, target: string): { readonly path: string; readonly anchor: string | undefined } {
  const [file = "", anchor] = target.split("#");
  const path = file === "" ? page : posix.normalize(posix.join(posix.dirname(page), file)).replace(/\/$/, "");
  return { path, anchor };
}

function leadsSomewhere(page: string, target: string): boolean {
  const { path, anchor } = resolved(page, target);
  if (path.startsWith("..") || !isThere(path)) return false;
  return anchor === undefined || headings(path).includes(anchor);
}

/** The anchors that GitHub gives to the headings of a page. */
function headings(path: string): readonly string[] {
  return [...textFile(path).matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

const ARROW = /^(\w+)(?:-?->>|-?->|-?-x|-?-\))[+-]?(\w+): \S.*$/;
const NOTE = /^Note (?:over (\w+)(?:,(\w+))?|(?:left|right) of (\w+)): \S.*$/;
/** What may stand between a block and its end. */
const PARTS: Readonly<Record<string, string>> = { and: "par", else: "alt", option: "critical" };

/** What is wrong in a sequence diagram, of the part of the language that our pages use. */
function diagramFaults(text: string): readonly string[] {
  const [first, ...lines] = text.trimEnd().split("\n");
  if (first !== "sequenceDiagram") return ["it does not begin with sequenceDiagram"];
  const declared = new Set<string>();
  const open: string[] = [];
  const faults = lines.flatMap((raw, index): readonly string[] => {
    const line = raw.trim();
    const fault = (what: string) => [`line ${index + 2}: ${what}`];
    if (line.includes(";")) return fault("a semicolon ends a statement");
    const [word = ""] = line.split(" ");
    if (word === "participant" || word === "actor") {
      const name = /^\w+ (\w+)(?: as \S.*)?$/.exec(line)?.[1];
      if (name === undefined) return fault(`not understood: ${line}`);
      if (declared.has(name)) return fault(`${name} is declared twice`);
      declared.add(name);
      return [];
    }
    if (["par", "alt", "loop", "opt", "critical", "break"].includes(word)) {
      open.push(word);
      return [];
    }
    if (Object.hasOwn(PARTS, word)) {
      return open.at(-1) === PARTS[word] ? [] : fault(`${word} outside of ${PARTS[word]}`);
    }
    if (line === "end") return open.pop() === undefined ? fault("end without a block") : [];
    const match = ARROW.exec(line) ?? NOTE.exec(line);
    if (match === null) return fault(`not understood: ${line}`);
    const strangers = match.slice(1).filter((name) => name !== undefined && !declared.has(name));
    return strangers.flatMap((name) => fault(`${name} is not declared`));
  });
  if (open.length === 0) return faults;
  return [...faults, `${open.length} ${open.length === 1 ? "block has" : "blocks have"} no end`];
}
