import { z } from "zod";
import type { CallHandler, ChargerControls, Trigger } from "../dialect.ts";
import { accepted, rejected } from "./status-info.ts";

const Evse = z.object({ id: z.number() });
const TriggerMessage = z.object({ requestedMessage: z.string(), evse: Evse.optional() });
const ChangeAvailability = z.object({
  evse: Evse.optional(),
  operationalStatus: z.enum(["Inoperative", "Operative"]),
});
const Reset = z.object({ type: z.string() });

const TRIGGERS: ReadonlyMap<string, Trigger> = new Map([
  ["BootNotification", "boot"],
  ["Heartbeat", "heartbeat"],
  ["MeterValues", "meter"],
  ["StatusNotification", "status"],
  ["TransactionEvent", "transaction"],
]);

/** What concerns the station as a whole, in 2.x. */
export function stationHandlers2(controls: ChargerControls): Record<string, CallHandler> {
  const isPlace = (evseId = 1) => evseId >= 0 && evseId <= controls.bounds.connectors;
  const evses = Array.from({ length: controls.bounds.connectors }, (_, index) => index + 1);
  return {
    TriggerMessage: (payload) => {
      const { requestedMessage, evse } = TriggerMessage.parse(payload);
      const trigger = TRIGGERS.get(requestedMessage);
      if (trigger === undefined) return { status: "NotImplemented" };
      if (!isPlace(evse?.id)) return rejected("UnknownEvse", `there is no EVSE ${evse?.id}`);
      const asked = evse === undefined ? evses : [evse.id];
      if (trigger === "transaction" && asked.every((evseId) => controls.transactionAt(evseId) === undefined)) {
        return rejected("TxNotFound", "no transaction is running");
      }
      controls.trigger(trigger, evse?.id);
      return accepted();
    },
    ChangeAvailability: (payload) => {
      const { evse, operationalStatus } = ChangeAvailability.parse(payload);
      if (!isPlace(evse?.id)) return rejected("UnknownEvse", `there is no EVSE ${evse?.id}`);
      return { status: controls.setAvailable(evse?.id ?? 0, operationalStatus === "Operative") };
    },
    Reset: (payload) => ({
      status: controls.reset(Reset.parse(payload).type !== "OnIdle") ? "Accepted" : "Scheduled",
    }),
    ClearCache: accepted,
  };
}
