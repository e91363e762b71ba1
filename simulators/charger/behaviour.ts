/** How a charger misbehaves. May be changed while it runs. */
export interface ChargerBehaviour {
  /** Accepts every profile and charges on at full power. */
  ignoresProfiles: boolean;
  /** Refuses every profile. */
  rejectsProfiles: boolean;
  /** Never answers a call; what it sends by itself goes on. */
  silent: boolean;
  /** Answers calls with wrong types and broken frames. */
  talksNonsense: boolean;
}

export const GOOD_BEHAVIOUR: ChargerBehaviour = {
  ignoresProfiles: false,
  rejectsProfiles: false,
  silent: false,
  talksNonsense: false,
};
