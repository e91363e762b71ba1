import { loadConfig } from "../config/load.ts";
import { ORDER_ACTIONS } from "../market/dialects/order-questions.ts";
import type { OrderReply } from "../market/order-desk.ts";
import { askDaemon, socketOf } from "./daemon-client.ts";
import { CliError, EXIT } from "./exit-code.ts";
import { printData, printJson } from "./output.ts";
import type { AddCommand } from "./program.ts";

interface OrderOptions {
  config: string;
  reason?: string;
  stars?: string;
  wait: string;
  json?: boolean;
}

/** `order`: ask the market about the order of a device, or take it back. */
export const addOrderCommand: AddCommand = (program, parts, setExit) => {
  program
    .command("order")
    .description("ask the market about the order of a device: what is offered, where it stands, cancel it, rate it")
    .argument("<action>", ORDER_ACTIONS.join(", "))
    .argument("<era>", "device or group")
    .requiredOption("--config <file>", "config of the daemon")
    .option("--reason <text>", "why it is cancelled")
    .option("--stars <number>", "rating, 1 to 5")
    .option("--wait <seconds>", "how long to wait for the market's answer", "15")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      '\nExample:\n  setpointd order cancel ev-garage --config site.yaml --reason "the car leaves early"',
    )
    .action(async (action: string, era: string, options: OrderOptions) => {
      if (!ORDER_ACTIONS.some((one) => one === action)) {
        throw new CliError(EXIT.usage, `"${action}" is none of ${ORDER_ACTIONS.join(", ")}`);
      }
      const waitS = Number(options.wait);
      const { config, folder } = loadConfig(options.config, parts.adapters);
      const body = {
        ...{ era, waitMs: waitS * 1000 },
        ...(options.reason !== undefined && { reason: options.reason }),
        ...(options.stars !== undefined && { stars: Number(options.stars) }),
      };
      const timeoutMs = waitS * 1000 + 10_000;
      const reply = await askDaemon<OrderReply>(socketOf(config, folder), "POST", `/orders/${action}`, {
        body,
        timeoutMs,
      });
      if (options.json) printJson({ schemaVersion: 1, ...reply });
      else printData(replyText(reply));
      if (reply.kind === "refused") setExit(EXIT.failed);
      else if (reply.kind !== "answered") setExit(EXIT.temporary);
    });
};

function replyText(reply: OrderReply): string {
  if (reply.kind === "answered") return JSON.stringify(reply.message, null, 2);
  if (reply.kind === "refused") return `the market refused: ${reply.reason}`;
  return reply.kind === "asked"
    ? `${reply.action} is on its way; the market has not answered yet`
    : "the daemon is busy; try again";
}
