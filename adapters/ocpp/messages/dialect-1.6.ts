import { type Profile, profileFields } from "../control/charging-profile.ts";
import { type JsonRecord, recordsAt, textAt } from "../link/json.ts";
import { knownWord } from "../link/word.ts";
import { TransactionBook } from "../sessions/transaction-book.ts";
import {
  type Dialect,
  type DialectContext,
  MEASURAND_LISTS,
  type Request,
  rateUnitsFrom,
  STATUS_WORDS,
  type Status,
  type Traits,
  wholeNumberFrom,
} from "./dialect.ts";
import { answerFrom } from "./handler-table.ts";
import { CALLS_16 } from "./inbound-1.6.ts";

const STACK_LEVEL_KEY = "ChargeProfileMaxStackLevel";
const RATE_UNIT_KEY = "ChargingScheduleAllowedChargingRateUnit";

/** OCPP 1.6J as one station speaks it. */
export function createDialect16(context: DialectContext): Dialect {
  const book = new TransactionBook();
  return {
    version: "ocpp1.6",
    inbound: (action, payload) => answerFrom(CALLS_16, action, payload, book, context),
    setProfile,
    clearProfile: (id) => ({ action: "ClearChargingProfile", payload: { id } }),
    readTraits: () => ({ action: "GetConfiguration", payload: { key: [STACK_LEVEL_KEY, RATE_UNIT_KEY] } }),
    traitsFrom,
    settings: (meterIntervalS) => [
      MEASURAND_LISTS.map((list) => change("MeterValuesSampledData", list)),
      [change("MeterValueSampleInterval", String(meterIntervalS))],
    ],
    statuses,
    trigger: (message, connector) => ({
      action: "TriggerMessage",
      payload:
        message === "BootNotification"
          ? { requestedMessage: message }
          : { requestedMessage: message, connectorId: connector },
    }),
  };
}

function change(key: string, value: string): Request {
  return { action: "ChangeConfiguration", payload: { key, value } };
}

function setProfile(profile: Profile): Request {
  const { head, schedule } = profileFields(profile);
  return {
    action: "SetChargingProfile",
    payload: {
      connectorId: profile.connector,
      csChargingProfiles: { chargingProfileId: profile.id, ...head, chargingSchedule: schedule },
    },
  };
}

/** Key names come in any case; a charger may leave out what it does not know. */
function traitsFrom(answer: JsonRecord): Traits {
  const values = new Map<string, string | undefined>();
  for (const entry of recordsAt(answer, "configurationKey")) {
    const key = textAt(entry, "key");
    if (key !== undefined) values.set(key.toLowerCase(), textAt(entry, "value"));
  }
  const rateUnits = rateUnitsFrom(values.get(RATE_UNIT_KEY.toLowerCase()));
  const maxStackLevel = wholeNumberFrom(values.get(STACK_LEVEL_KEY.toLowerCase()));
  return {
    ...(rateUnits === undefined ? {} : { rateUnits }),
    ...(maxStackLevel === undefined ? {} : { maxStackLevel }),
  };
}

function statuses(answer: JsonRecord): readonly Status[] {
  const word = textAt(answer, "status");
  return word === undefined ? [] : [{ word: knownWord(word, STATUS_WORDS) }];
}
