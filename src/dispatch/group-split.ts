/** What one member of a group can do now, kW, export positive. */
export interface Member {
  readonly era: string;
  readonly minPowerKW: number;
  readonly maxPowerKW: number;
}

/**
 * Splits a group's power over its members in proportion to what each can do in that direction. The shares add up to the
 * power exactly, as far as the members can carry it; the remainder nobody can carry is left out.
 */
export function splitOverMembers(powerKW: number, members: readonly Member[]): ReadonlyMap<string, number> {
  const room = (member: Member) => (powerKW < 0 ? -member.minPowerKW : member.maxPowerKW);
  const totalRoomKW = members.reduce((sum, member) => sum + room(member), 0);
  const carriedKW = Math.min(Math.abs(powerKW), totalRoomKW);
  const shares = new Map<string, number>();
  let leftKW = carriedKW;
  for (const [index, member] of members.entries()) {
    const isLast = index === members.length - 1;
    // The last member takes what is left, so that rounding never loses a watt.
    const shareKW = isLast ? leftKW : totalRoomKW === 0 ? 0 : (carriedKW * room(member)) / totalRoomKW;
    leftKW -= shareKW;
    shares.set(member.era, powerKW < 0 ? -shareKW || 0 : shareKW);
  }
  return shares;
}
