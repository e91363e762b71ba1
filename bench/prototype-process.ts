import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { builtFile, startNode, stopChild } from "./child-program.ts";
import { within } from "./within.ts";

const START_DEADLINE_MS = 10_000;

/** The bare prototype as a process of its own. */
export class PrototypeProcess implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** @throws Error when it does not say its port in time */
  static async start(folder: string, publicKey: string): Promise<PrototypeProcess> {
    const child = startNode([builtFile("bench/prototype.js"), folder, publicKey], ["pipe", "pipe", "inherit"]);
    if (child.stdout === null) throw new Error("the prototype has no stdout");
    const [line] = (await within(START_DEADLINE_MS, "the prototype's port", once(child.stdout, "data"))) as [Buffer];
    return new PrototypeProcess(child, Number(line.toString("utf8")));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stopChild(this.#child);
  }
}
