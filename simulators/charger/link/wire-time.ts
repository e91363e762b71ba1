/** An instant as OCPP writes it. */
export function timestamp(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

/** Epoch ms of an OCPP instant; one without a zone is UTC. The schema has checked the form. */
export function instantMs(text: string): number {
  const hasZone = /(z|[+-]\d\d:?\d\d)$/i.test(text);
  return Date.parse(hasZone ? text : `${text}Z`);
}

export const RECURRENCE_MS = { Daily: 86_400_000, Weekly: 7 * 86_400_000 } as const;

/** Nothing stays nothing: an absent field is left out of the message, or of the object made from one. */
export function present<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { [K in Key]?: Value };
}
