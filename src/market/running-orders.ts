import type { Clock } from "../clock.ts";
import type { Era } from "../model/resource.ts";
import type { Setpoint } from "../model/setpoint.ts";
import type { NewOutboxItem } from "../store/control-store.ts";
import { isRequestAction, type MessageContext, type Parties } from "./beckn-context.ts";
import type { StatusRequest } from "./callback-effects.ts";
import { type OutgoingDialect, outgoingDialect } from "./dialects/outgoing.ts";
import type { DeliveryReport, SessionReport } from "./dialects/seed-messages.ts";
import type { SeedDialect } from "./dialects/seed-shape.ts";
import type { MessageWriter } from "./message-writer.ts";

/** Telemetry and the last verdict come a little after the setpoint's end; until then its order takes them. */
const REPORT_GRACE_MS = 300_000;
/** Readings that the answer to a question has at most. */
const MAX_READINGS = 60;

/** The order that is running for one resource. */
export interface RunningOrder {
  readonly transactionId: string;
  readonly orderId?: string;
  readonly powerKW: number;
  readonly endsAtMs: number;
}

export interface RunningOrdersOptions {
  readonly clock: Clock;
  readonly parties: Parties;
  readonly dialect: SeedDialect;
  readonly outgoing: OutgoingDialect;
  readonly writer: MessageWriter;
  readonly metersOf: (era: Era) => readonly string[];
  readonly telemetryTtlMs?: number | undefined;
  readonly telemetryRole?: "bap" | "bpp" | undefined;
}

/** The orders that run, one a resource, and what the market hears of each: telemetry, verdicts, answers to `status`. */
export class RunningOrders {
  readonly #options: RunningOrdersOptions;
  readonly #orders = new Map<Era, RunningOrder>();
  /** What was told last of each, for a market that asks. */
  readonly #told = new Map<Era, DeliveryReport>();

  constructor(options: RunningOrdersOptions) {
    this.#options = options;
  }

  of(era: Era): RunningOrder | undefined {
    return this.#orders.get(era);
  }

  /** A setpoint of an order that runs from now on. */
  add(setpoint: Setpoint): void {
    const { transactionId, orderId } = setpoint.source;
    if (transactionId === undefined) return;
    const before = this.#orders.get(setpoint.era);
    // An order may have one setpoint after the other.
    const endsBeforeMs = before?.transactionId === transactionId ? before.endsAtMs : 0;
    this.#orders.set(setpoint.era, {
      transactionId,
      ...(orderId !== undefined && { orderId }),
      powerKW: setpoint.powerKW,
      endsAtMs: Math.max(setpoint.validUntilMs, endsBeforeMs),
    });
  }

  /** The market ended a transaction. */
  end(transactionId: string): void {
    for (const [era, order] of this.#orders) if (order.transactionId === transactionId) this.#forget(era);
  }

  /** Forgets orders that are long over. */
  endOverdue(): void {
    const nowMs = this.#options.clock.now();
    for (const [era, order] of this.#orders) if (nowMs > order.endsAtMs + REPORT_GRACE_MS) this.#forget(era);
  }

  /**
   * What a resource did and can do now, for the order that is running. A later report replaces one that still waits, but a
   * final verdict is never replaced.
   * @param openTransactionId the transaction that the market clears next: only there a curve belongs
   * @returns nothing if no order is running, so that there is nobody to tell
   */
  report(report: Omit<DeliveryReport, "orderId">, openTransactionId: string | undefined): NewOutboxItem | undefined {
    const { era, judgement, performance } = report;
    const order = this.#orders.get(era);
    if (order === undefined) return undefined;
    const { curve, constraints, ...rest } = report;
    const takesCurve = openTransactionId === order.transactionId;
    const told: DeliveryReport = {
      ...rest,
      ...(order.orderId !== undefined && { orderId: order.orderId }),
      ...(takesCurve && curve !== undefined && { curve }),
      ...(takesCurve && constraints !== undefined && { constraints }),
    };
    this.#remind(told);
    const { outgoing, writer, metersOf, telemetryRole } = this.#options;
    const message = outgoing.delivery(told, order.transactionId, metersOf(era));
    const lasting = performance ? `reduction ${performance.setpointId}` : `telemetry ${era}`;
    const replaceKey = judgement?.final ? `verdict ${judgement.setpointId}` : lasting;
    const action = telemetryRole === "bpp" ? "on_status" : "update";
    return writer.item(action, order.transactionId, message, { ttlMs: this.#ttlMs, replaceKey });
  }

  /**
   * The `on_status` for a market that asks what an order's resource does, in its own dialect: what was told last.
   * @returns nothing if that market has no such order here
   */
  statusFor({ context, orderId, isContract }: StatusRequest): NewOutboxItem | undefined {
    const { parties, dialect, outgoing: usual, writer, metersOf } = this.#options;
    if (context.bapId !== parties.bppId) return undefined;
    const found = [...this.#orders].find(([, order]) =>
      orderId !== undefined && order.orderId !== undefined
        ? order.orderId === orderId
        : order.transactionId === context.transactionId,
    );
    if (found === undefined) return undefined;
    const [era, order] = found;
    const ofRequest = isContract === (usual.envelope === "camel") ? usual : undefined;
    const outgoing = ofRequest ?? outgoingDialect(isContract ? "deg" : "seed", dialect, undefined);
    const report = this.#told.get(era) ?? { era, readings: [] };
    const told = { ...report, ...(order.orderId !== undefined && { orderId: order.orderId }) };
    return writer.item("on_status", order.transactionId, outgoing.delivery(told, order.transactionId, metersOf(era)), {
      ttlMs: this.#ttlMs,
      replaceKey: `status ${era}`,
      // What answers a question carries the question's id, in the question's envelope.
      messageId: context.messageId,
      envelope: context.envelope,
    });
  }

  /** How the charging session of an order stands, for a market that asked for a change of it. */
  sessionReport(era: Era, orderId: string | undefined, session: SessionReport, context: MessageContext): NewOutboxItem {
    const { outgoing, writer, metersOf, telemetryRole } = this.#options;
    const isAnswer = isRequestAction(context.action);
    const { readings = [] } = this.#told.get(era) ?? {};
    const report = { era, readings: readings.slice(-1), session, ...(orderId !== undefined && { orderId }) };
    const message = outgoing.delivery(report, context.transactionId, metersOf(era));
    const ownAction = telemetryRole === "bpp" ? "on_status" : "update";
    return writer.item(isAnswer ? "on_update" : ownAction, context.transactionId, message, {
      ttlMs: this.#ttlMs,
      replaceKey: `session ${context.messageId} ${era}`,
      ...(isAnswer && { messageId: context.messageId, envelope: context.envelope }),
    });
  }

  get #ttlMs(): number {
    return this.#options.telemetryTtlMs ?? 3_600_000;
  }

  /** Keeps what was told of an order: the newest readings, and the last verdict until there is a newer one. */
  #remind(report: DeliveryReport): void {
    const before = this.#told.get(report.era);
    const isSame = before !== undefined && before.orderId === report.orderId;
    const readings = [
      ...(isSame ? before.readings : []),
      ...report.readings.filter((one) => !before?.readings.includes(one)),
    ];
    const judgement = report.judgement ?? (isSame ? before.judgement : undefined);
    this.#told.set(report.era, {
      era: report.era,
      readings: readings.slice(-MAX_READINGS),
      ...(judgement !== undefined && { judgement }),
      ...(report.orderId !== undefined && { orderId: report.orderId }),
    });
  }

  #forget(era: Era): void {
    this.#orders.delete(era);
    this.#told.delete(era);
  }
}
