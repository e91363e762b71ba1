import { cutText, type JsonRecord, textAt } from "../link/json.ts";
import { parseTimestamp } from "../link/timestamp.ts";
import type { Handled } from "./events.ts";

/** Longest type and detail of the standard (50 and 255 letters). */
const MAX_TYPE = 50;
const MAX_DETAIL = 255;

/** SecurityEventNotification, the same in every version. One that does not say what happened is answered all the same. */
export function securityEventNotification(payload: JsonRecord): Handled {
  const type = printable(textAt(payload, "type"), MAX_TYPE);
  const detail = printable(textAt(payload, "techInfo"), MAX_DETAIL);
  const deviceTimeMs = parseTimestamp(textAt(payload, "timestamp"));
  return {
    answer: {},
    events: [
      {
        kind: "security",
        type: type ?? "without a type",
        ...(detail === undefined ? {} : { detail }),
        ...(deviceTimeMs === undefined ? {} : { deviceTimeMs }),
      },
    ],
  };
}

/** It goes to a terminal one day. */
function printable(text: string | undefined, length: number): string | undefined {
  return text === undefined ? undefined : cutText(text, length).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");
}
