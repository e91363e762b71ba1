import type { KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { systemClock } from "../clock.ts";
import { loadConfig } from "../config/load.ts";
import { signBody } from "../market/signature.ts";
import { privateKeyFromBase64 } from "../market/signing-keys.ts";
import { CliError, EXIT } from "./exit-code.ts";
import { printData, printJson } from "./output.ts";
import type { AddCommand } from "./program.ts";

const ACTION = /^[a-z_]{1,40}$/;
const SEND_DEADLINE_MS = 10_000;
const SIGNATURE_LIFETIME_MS = 60_000;

/** `market send`: a message file to a running gateway, as the market would send it. */
export const addMarketCommand: AddCommand = (program, parts, setExit) => {
  const market = program.command("market").description("speak to a gateway as the market does, or to a market");
  market
    .command("send")
    .description("send a message file (JSON) to a running gateway or market, signed with the sender's key")
    .argument("<file>", "message in any of the dialects, for example an on_confirm")
    .option("--config <file>", "config of the gateway; tells where its webhook is")
    .option("--url <url>", "where to, instead of --config, for example http://127.0.0.1:9080/beckn")
    .option("--key <file>", "private key of the sender, base64; without it the message goes unsigned")
    .option("--key-id <id>", "key id under which the receiver has pinned the sender's key", "key-1")
    .option("--subscriber <id>", "the sender's id; default: what the message's context says")
    .option("--fresh", "give the message a new id and the present time first")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nExample:\n  setpointd market send on-confirm.json --config site.yaml --key market.key --fresh",
    )
    .action(async (file: string, options: SendOptions) => {
      const { body, action, senderId } = readMessage(file, options.fresh ?? false);
      const url = webhookUrl(options, (path) => loadConfig(path, parts.adapters).config.market?.webhook);
      const headers: Record<string, string> = { "content-type": "application/json" };
      if (options.key !== undefined) {
        const signer = {
          subscriberId: options.subscriber ?? senderId,
          keyId: options.keyId,
          privateKey: readKey(options.key),
        };
        const times = { nowMs: systemClock.now(), lifetimeMs: SIGNATURE_LIFETIME_MS };
        headers["authorization"] = signBody(signer, Buffer.from(body), times).authorization;
      }
      const answer = await post(`${url}/${action}`, headers, body);
      if (options.json) printJson({ schemaVersion: 1, status: answer.status, answer: answer.json ?? answer.text });
      else printData(`${answer.status} ${answer.text.trim()}`);
      if (answer.status >= 400) setExit(EXIT.failed);
    });
};

interface SendOptions {
  config?: string;
  url?: string;
  key?: string;
  keyId: string;
  subscriber?: string;
  fresh?: boolean;
  json?: boolean;
}

const Message = z.looseObject({ context: z.looseObject({ action: z.string() }) });

function readMessage(file: string, fresh: boolean): { body: string; action: string; senderId: string } {
  const text = readText(file);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new CliError(EXIT.usage, `${file} is not JSON: ${(error as Error).message}`);
  }
  const parsed = Message.safeParse(json);
  if (!parsed.success) throw new CliError(EXIT.usage, `${file}: ${z.prettifyError(parsed.error)}`);
  const { context } = parsed.data;
  const { action } = context;
  const isCamel = "bapId" in context || "transactionId" in context;
  const from = action.startsWith("on_") ? "bpp" : "bap";
  const key = `${from}${isCamel ? "Id" : "_id"}`;
  const senderId = context[key];
  if (!ACTION.test(action)) {
    throw new CliError(EXIT.usage, `${file}: context.action: expected on_confirm, discover, ..., got "${action}"`);
  }
  if (typeof senderId !== "string") throw new CliError(EXIT.usage, `${file}: context.${key}: expected a string`);
  if (!fresh) return { body: text, action, senderId };
  const renewed = {
    ...parsed.data,
    context: {
      ...context,
      [isCamel ? "messageId" : "message_id"]: crypto.randomUUID(),
      timestamp: new Date(systemClock.now()).toISOString(),
    },
  };
  return { body: JSON.stringify(renewed), action, senderId };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new CliError(EXIT.usage, `${file} can't be read: ${(error as Error).message}`);
  }
}

function readKey(file: string): KeyObject {
  const text = readText(file).trim();
  try {
    return privateKeyFromBase64(text);
  } catch (error) {
    throw new CliError(EXIT.usage, `${file}: ${(error as Error).message}`);
  }
}

function webhookUrl(
  options: SendOptions,
  webhookOf: (file: string) => { host: string; port: number; path: string } | undefined,
): string {
  if (options.url !== undefined) return options.url.replace(/\/$/, "");
  if (options.config === undefined) throw new CliError(EXIT.usage, "give --config or --url");
  const webhook = webhookOf(options.config);
  if (webhook === undefined) throw new CliError(EXIT.usage, `${options.config} has no market.webhook; give --url`);
  if (webhook.port === 0) throw new CliError(EXIT.usage, "the config leaves the port open (0); give --url");
  return `http://${webhook.host}:${webhook.port}${webhook.path}`;
}

async function post(
  url: string,
  headers: Record<string, string>,
  body: string,
): Promise<{ status: number; text: string; json?: unknown }> {
  let response: Response;
  try {
    response = await fetch(url, { method: "POST", headers, body, signal: AbortSignal.timeout(SEND_DEADLINE_MS) });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new CliError(EXIT.daemonUnreachable, `${url} does not answer: ${cause}`);
  }
  const text = await response.text();
  try {
    return { status: response.status, text, json: JSON.parse(text) };
  } catch {
    return { status: response.status, text };
  }
}
