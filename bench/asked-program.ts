import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { builtFile, startNode, stopChild } from "./child-program.ts";
import { within } from "./within.ts";

const ANSWER_DEADLINE_MS = 120_000;

type Answer = { readonly id: number; readonly value?: unknown; readonly fault?: string };

/** A part of a benchmark in a process of its own, so that its CPU and memory are its own; it is asked over Node's channel. */
export class AskedProgram implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", (answer: Answer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    child.once("exit", (code) => {
      for (const [id, tell] of this.#waiting) tell({ id, fault: `the program ended with ${code}` });
    });
  }

  /** Starts a file of the build that calls `answerQuestions`. */
  static async start(file: string, args: readonly string[] = [], nodeFlags: readonly string[] = []) {
    const child = startNode([...nodeFlags, builtFile(file), ...args], ["ignore", "ignore", "inherit", "ipc"]);
    const program = new AskedProgram(child);
    await within(ANSWER_DEADLINE_MS, `${file} to start`, once(child, "message"));
    return program;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** @throws Error with what the program said */
  async ask<T>(question: string, input: unknown = null): Promise<T> {
    const id = ++this.#lastId;
    const answering = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.#child.send({ id, question, input });
    const { value, fault } = await within(ANSWER_DEADLINE_MS, question, answering);
    if (fault !== undefined) throw new Error(`${question}: ${fault}`);
    return value as T;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stopChild(this.#child);
  }
}

/** The asked program's own side. */
export function answerQuestions(
  // biome-ignore lint/suspicious/noExplicitAny: both ends are one benchmark
  answers: Readonly<Record<string, (input: any) => unknown>>,
): void {
  const send = (answer: Answer) => process.send?.(answer);
  process.on("message", async ({ id, question, input }: { id: number; question: string; input: unknown }) => {
    try {
      send({ id, value: await answers[question]?.(input) });
    } catch (error) {
      send({ id, fault: error instanceof Error ? error.message : String(error) });
    }
  });
  send({ id: 0 });
}
