/** A connector kept for one driver. */
export interface Reservation {
  readonly id: number;
  readonly connectorId: number;
  readonly idTag: string;
  readonly expiryMs: number;
}

/** The reservations of a station, one a connector at most. */
export class Reservations {
  readonly #byConnector = new Map<number, Reservation>();

  at(connectorId: number): Reservation | undefined {
    return this.#byConnector.get(connectorId);
  }

  /** A reservation with the same id moves; another one at the same connector stays in the way. */
  set(reservation: Reservation): void {
    this.cancel(reservation.id);
    this.#byConnector.set(reservation.connectorId, reservation);
  }

  /** False if there is no such reservation. */
  cancel(id: number): boolean {
    for (const [connectorId, reservation] of this.#byConnector) {
      if (reservation.id === id) return this.#byConnector.delete(connectorId);
    }
    return false;
  }

  /** True if this driver may use the connector. */
  admits(connectorId: number, idTag: string): boolean {
    const reservation = this.#byConnector.get(connectorId);
    return reservation === undefined || reservation.idTag.toLowerCase() === idTag.toLowerCase();
  }

  /** Takes out those that are over, and returns them. */
  expire(nowMs: number): readonly Reservation[] {
    const over = [...this.#byConnector.values()].filter(({ expiryMs }) => expiryMs <= nowMs);
    for (const { connectorId } of over) this.#byConnector.delete(connectorId);
    return over;
  }
}
