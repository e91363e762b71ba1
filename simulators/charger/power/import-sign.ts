/**
 * Turns a power between the two ways of counting: OCPP counts what the car takes in as positive, the car's model (as all
 * of this project) counts it as negative. The same turn serves both ways. Zero stays plain zero.
 */
export function turnSign(powerKW: number): number {
  return powerKW === 0 ? 0 : -powerKW;
}
