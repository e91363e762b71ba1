import type { Refusal } from "../profiles/refusal.ts";

export function accepted(): Record<string, unknown> {
  return { status: "Accepted" };
}

/** A refusal with its reason, as 2.x wants it. */
export function rejected(reasonCode: string, additionalInfo: string, status = "Rejected"): Record<string, unknown> {
  return { status, statusInfo: { reasonCode, additionalInfo: additionalInfo.slice(0, 512) } };
}

export function statusOf(refusal: Refusal | undefined): Record<string, unknown> {
  return refusal === undefined ? accepted() : rejected(refusal.code, refusal.text);
}
