import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { OperationError } from "../../kind.ts";

const MAX_LETTERS = 1000;

/**
 * One line that nobody is to see: asked for at a terminal and not shown, else the first line of stdin.
 * @throws OperationError where there is none
 */
export async function askSecret(question: string, signal: AbortSignal): Promise<string> {
  const { stdin, stderr } = process;
  const isTerminal = stdin.isTTY === true;
  // Readline echoes what is typed to its output; the question goes past it.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({
    input: stdin,
    output: isTerminal ? nowhere : undefined,
    terminal: isTerminal,
    signal,
  });
  if (isTerminal) stderr.write(question);
  try {
    for await (const line of lines) {
      if (line.length > MAX_LETTERS) throw new OperationError("invalid", `longer than ${MAX_LETTERS} letters`);
      return line;
    }
    throw new OperationError("invalid", "no password came on stdin");
  } finally {
    lines.close();
    if (isTerminal) stderr.write("\n");
  }
}
