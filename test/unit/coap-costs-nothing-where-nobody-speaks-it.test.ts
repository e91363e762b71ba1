import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

/** Modules of packages that a program has loaded, as it prints them itself. */
const loadedBy = (statements: string): string[] => {
  const print = `console.log(JSON.stringify(Object.keys(process.getBuiltinModule("module")._cache)))`;
  const code = `${statements}; ${print}`;
  const output = execFileSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code], {
    encoding: "utf8",
  });
  return JSON.parse(output) as string[];
};

const isCoap = (file: string) => /node_modules\/(coap|coap-packet|node-dtls-client)\//.test(file);

test("the table of adapters loads no CoAP library until a CoAP device is spoken to", () => {
  expect(loadedBy(`await import("./adapters/index.ts")`).filter(isCoap)).toEqual([]);
  // The same look sees the library where it is loaded.
  expect(loadedBy(`await import("coap")`).filter(isCoap)).not.toEqual([]);
});
