import { z } from "zod";
import type { ElectricCar } from "../../world/electric-car.ts";
import type { CallHandler, ChargerControls, Note } from "../dialect.ts";
import type { Call } from "../link/uplink.ts";
import { present, timestamp } from "../link/wire-time.ts";
import type { PeriodValues } from "../profiles/charging-profile.ts";
import type { CompositePeriod } from "../profiles/composite-schedule.ts";
import type { Wiring } from "../profiles/effective-limit.ts";
import type { Refusal } from "../profiles/refusal.ts";
import type { Transaction } from "../session/transaction.ts";
import { refusePerPhase, ScheduleUpdate } from "./ocpp2-profile.ts";
import { accepted, rejected, statusOf } from "./status-info.ts";

const UpdateDynamicSchedule = z.object({ chargingProfileId: z.number(), scheduleUpdate: ScheduleUpdate });
const PullResponse = z.object({ status: z.string(), scheduleUpdate: ScheduleUpdate.optional() });
const NotifyAllowed = z.object({ transactionId: z.string(), allowedEnergyTransfer: z.array(z.string()) });

/** True if one of the energy transfer modes lets a car give back (BPT: bidirectional power transfer). */
export function allowsDischarge(modes: readonly string[]): boolean {
  return modes.some((mode) => mode.split("_").includes("BPT"));
}

/** What 2.1 adds for cars that give back, and for schedules that change as they go. */
export function v2xHandlers(controls: ChargerControls): Record<string, CallHandler> {
  return {
    UpdateDynamicSchedule: (payload) => {
      const { chargingProfileId, scheduleUpdate } = UpdateDynamicSchedule.parse(payload);
      const read = valuesOf(scheduleUpdate);
      return statusOf("refusal" in read ? read.refusal : controls.updateProfile(chargingProfileId, read.values));
    },
    NotifyAllowedEnergyTransfer: (payload) => {
      const { transactionId, allowedEnergyTransfer } = NotifyAllowed.parse(payload);
      const transaction = controls.transactionNamed(transactionId);
      if (transaction === undefined) return rejected("TxNotFound", `${transactionId} is not running`);
      transaction.mayDischarge = allowsDischarge(allowedEnergyTransfer);
      return accepted();
    },
  };
}

/** Asks the CSMS for new values of a dynamic profile. @throws when it does not answer, or with nonsense */
export async function pullSchedule(call: Call, chargingProfileId: number): Promise<PeriodValues | undefined> {
  const { status, scheduleUpdate } = PullResponse.parse(await call("PullDynamicScheduleUpdate", { chargingProfileId }));
  if (status !== "Accepted" || scheduleUpdate === undefined) return undefined;
  const read = valuesOf(scheduleUpdate);
  if ("refusal" in read) throw new TypeError(read.refusal.text);
  return read.values;
}

function valuesOf(update: z.infer<typeof ScheduleUpdate>): { values: PeriodValues } | { refusal: Refusal } {
  const refusal = refusePerPhase(update);
  if (refusal !== undefined) return { refusal };
  const { limit, dischargeLimit, setpoint } = update;
  return {
    values: {
      ...present("limit", limit),
      ...present("dischargeLimit", dischargeLimit),
      ...present("setpoint", setpoint),
    },
  };
}

/** What a car says of itself over ISO 15118-20 when it is plugged in. Powers are magnitudes, charging and discharging. */
export function chargingNeeds(transaction: Transaction, car: ElectricCar, wiring: Wiring, timeMs: number): Note {
  const needs = car.needs();
  const cableW = wiring.maxA * wiring.phases * wiring.voltageV;
  const watts = (powerKW: number) => Math.round(Math.min(powerKW * 1000, cableW));
  const wattHours = (energyKWh: number) => Math.round(energyKWh * 1000);
  const dc = wiring.current === "DC";
  const requestedEnergyTransfer = dc ? "DC_BPT" : "AC_BPT";
  const chargingOnly = dc ? "DC" : wiring.phases === 3 ? "AC_three_phase" : "AC_single_phase";
  return {
    action: "NotifyEVChargingNeeds",
    payload: {
      evseId: transaction.connectorId,
      timestamp: timestamp(timeMs),
      chargingNeeds: {
        requestedEnergyTransfer,
        availableEnergyTransfer: [chargingOnly, requestedEnergyTransfer],
        controlMode: "DynamicControl",
        mobilityNeedsMode: "EVCC",
        ...present("departureTime", needs.departureMs === undefined ? undefined : timestamp(needs.departureMs)),
        v2xChargingParameters: {
          minChargePower: 0,
          maxChargePower: watts(car.options.maxChargeKW),
          minDischargePower: 0,
          maxDischargePower: watts(car.options.maxDischargeKW),
          evTargetEnergyRequest: wattHours(needs.targetEnergyKWh),
          evMinEnergyRequest: wattHours(needs.minEnergyKWh),
          evMaxEnergyRequest: wattHours(needs.maxEnergyKWh),
          evMinV2XEnergyRequest: wattHours(needs.minEnergyKWh),
          evMaxV2XEnergyRequest: wattHours(needs.maxEnergyKWh),
          targetSoC: Math.round(needs.targetPercent),
        },
      },
    },
  };
}

/** What the car will draw under the schedule it got: all that it may. */
export function carSchedule(transaction: Transaction, plan: readonly CompositePeriod[], timeMs: number): Note {
  return {
    action: "NotifyEVChargingSchedule",
    payload: {
      evseId: transaction.connectorId,
      timeBase: timestamp(timeMs),
      chargingSchedule: {
        id: 1,
        chargingRateUnit: "W",
        chargingSchedulePeriod: plan.map(({ startPeriod, limit }) => ({ startPeriod, limit })),
      },
    },
  };
}
