/** Why a profile is refused. `code` fits the 20 letters of a 2.x `reasonCode`. */
export interface Refusal {
  readonly code: string;
  readonly text: string;
}

export function refuse(code: string, text: string): Refusal {
  return { code, text };
}
