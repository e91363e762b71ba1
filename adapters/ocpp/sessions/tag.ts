import { z } from "zod";

/** A card or key as OCPP names it. */
export interface Token {
  readonly id: string;
  /** Kind of token in 2.x; 1.6 has none. */
  readonly type: TokenType;
}

const TOKEN_TYPES = ["ISO14443", "ISO15693", "eMAID", "KeyCode", "Local", "MacAddress", "Central"] as const;
type TokenType = (typeof TOKEN_TYPES)[number];

/** One entry of the list of who may charge. */
export const tagSchema = z
  .strictObject({
    tag: z.string().min(1).max(36).describe("Number of the card or key, for example 04A1B2C3; 1.6 takes 20 letters"),
    type: z.enum(TOKEN_TYPES).default("ISO14443").describe("Kind of token, for OCPP 2.x"),
    expires: z.iso.datetime({ offset: true }).optional().describe("Not accepted from this time on"),
    parent: z.string().min(1).max(20).optional().describe("Group: a session may be ended by any card of it"),
    blocked: z.boolean().default(false).describe("Known, and refused"),
  })
  .describe("A card or key that may charge");

export type Tag = z.output<typeof tagSchema>;

export function tokenOf({ tag, type }: Tag): Token {
  return { id: tag, type };
}

/** What a charger is told of a token; the words are the same in all versions. */
export interface TagVerdict {
  readonly status: "Accepted" | "Blocked" | "Expired" | "Invalid" | "ConcurrentTx";
  readonly expiresAtMs?: number;
  readonly parent?: string;
}

export function verdictOn(tag: Tag, nowMs: number): TagVerdict {
  const expiresAtMs = tag.expires === undefined ? undefined : Date.parse(tag.expires);
  const isExpired = expiresAtMs !== undefined && expiresAtMs <= nowMs;
  return {
    status: tag.blocked ? "Blocked" : isExpired ? "Expired" : "Accepted",
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    ...(tag.parent === undefined ? {} : { parent: tag.parent }),
  };
}
