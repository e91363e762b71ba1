import { request } from "node:http";
import { resolve } from "node:path";
import type { Config } from "../config/schema.ts";
import { CliError, EXIT } from "./exit-code.ts";

/** Where the daemon of a config listens for the command line. */
export function socketOf(config: Config, folder: string): string {
  return config.api.socket === undefined
    ? resolve(folder, config.data, "setpointd.sock")
    : resolve(folder, config.api.socket);
}

/**
 * Asks the running daemon over its Unix socket.
 * @throws CliError `daemonUnreachable`, `permission`, or `notFound`, `usage`, ... by the status answered
 */
export async function askDaemon<T>(
  socket: string,
  method: "GET" | "POST",
  path: string,
  options: { body?: unknown; timeoutMs?: number } = {},
): Promise<T> {
  const { status, text } = await send(socket, method, path, options);
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new CliError(EXIT.failed, `the daemon answered ${status} and no JSON`);
  }
  if (status >= 200 && status < 300) return answer as T;
  const reason = (answer as { error?: string }).error ?? `status ${status}`;
  throw new CliError(status === 404 ? EXIT.notFound : EXIT.failed, reason);
}

function send(
  socket: string,
  method: string,
  path: string,
  options: { body?: unknown; timeoutMs?: number },
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: socket, method, path, timeout: options.timeoutMs ?? 10_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
      );
      response.on("error", reject);
    });
    call.on("timeout", () => call.destroy(new Error("no answer in time")));
    call.on("error", (error: NodeJS.ErrnoException) => reject(explain(error, socket)));
    call.end(options.body === undefined ? undefined : JSON.stringify(options.body));
  });
}

function explain(error: NodeJS.ErrnoException, socket: string): CliError {
  if (error.code === "EACCES") {
    return new CliError(EXIT.permission, `no permission for ${socket}; run as the daemon's user`, { cause: error });
  }
  const hint = "is the daemon running? start it with: setpointd run --config FILE";
  return new CliError(EXIT.daemonUnreachable, `the daemon at ${socket} does not answer (${error.message}); ${hint}`, {
    cause: error,
  });
}
