// Puts the built program where `npx setpointd` looks first in a checkout, so that it runs at once and asks no registry.
import { chmodSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join, relative } from "node:path";

const program = join("dist", "src", "main.js");
const folder = join("node_modules", ".bin");
const link = join(folder, "setpointd");

chmodSync(program, 0o755);
mkdirSync(folder, { recursive: true });
rmSync(link, { force: true });
symlinkSync(relative(folder, program), link);
