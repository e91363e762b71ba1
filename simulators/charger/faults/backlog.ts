import { randomUUID } from "node:crypto";
import type { ChargerSettings } from "../charger-settings.ts";
import type { Dialect } from "../dialect.ts";
import type { Outgoing } from "../link/outbox.ts";
import type { MeterSample } from "../power/meter-sample.ts";
import type { Transaction } from "../session/transaction.ts";

const METER_VALUES = 10;

/** A charge of long ago, with a car that is gone, as the messages that the CSMS has not heard yet. */
export function backlog(options: {
  readonly dialect: Dialect;
  readonly settings: ChargerSettings;
  readonly idTag: string;
  readonly nowMs: number;
  readonly beganMs: number;
  /** The meter as it is now; then it had counted less. */
  readonly sample: MeterSample;
}): readonly Outgoing[] {
  const { dialect, settings, idTag, nowMs, beganMs, sample } = options;
  const ownId = randomUUID();
  const transaction: Transaction = {
    connectorId: 1,
    ownId,
    idTag,
    startedAtMs: beganMs,
    id: undefined,
    confirmed: true,
    seqNo: 0,
    mayDischarge: false,
    operationMode: "ChargingOnly",
  };
  // It ended a tenth before now.
  const at = (share: number): MeterSample => ({ ...sample, timeMs: beganMs + share * 0.9 * (nowMs - beganMs) });
  const reports = Array.from({ length: METER_VALUES }, (_, index) =>
    dialect.meter(
      {
        connectorId: 1,
        transaction,
        sample: at((index + 1) / (METER_VALUES + 1)),
        state: "Charging",
        mode: "ChargingOnly",
        context: "Sample.Periodic",
        offline: true,
      },
      settings,
    ),
  );
  return [
    {
      ...dialect.started(transaction, at(0), settings, true),
      answered: (answer) => {
        if (answer !== undefined) transaction.id ??= dialect.startAnswer(answer).id;
      },
    },
    ...reports,
    dialect.ended({ transaction, sample: at(1), reason: "EVDisconnected", offline: true }),
  ];
}
