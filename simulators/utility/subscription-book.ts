/** Somebody who wants to be told when a resource changes. */
export interface Subscription {
  readonly id: number;
  readonly owner: string;
  /** Path of the resource. */
  readonly resource: string;
  /** http or https address. */
  uri: string;
  limit: number;
}

/** A notification that was sent, and what became of it. */
export interface Transmission {
  readonly subscription: Subscription;
  readonly atS: number;
  readonly ok: boolean;
  readonly detail: string;
}

const MAX_SUBSCRIPTIONS = 200;
const MAX_TRANSMISSIONS = 2000;

/** Who is to be told about what. */
export class SubscriptionBook {
  readonly subscriptions: Subscription[] = [];
  readonly transmissions: Transmission[] = [];
  #next = 1;

  /** A second subscription of the same client to the same resource changes the first. @throws RangeError */
  put(order: { owner: string; resource: string; uri: string; limit: number }): {
    subscription: Subscription;
    isNew: boolean;
  } {
    const known = this.subscriptions.find(
      ({ owner, resource }) => owner === order.owner && resource === order.resource,
    );
    if (known !== undefined) {
      known.uri = order.uri;
      known.limit = order.limit;
      return { subscription: known, isNew: false };
    }
    if (this.subscriptions.length >= MAX_SUBSCRIPTIONS) throw new RangeError("too many subscriptions");
    const subscription = { ...order, id: this.#next++ };
    this.subscriptions.push(subscription);
    return { subscription, isNew: true };
  }

  visibleTo(client: string): Subscription[] {
    return this.subscriptions.filter(({ owner }) => owner === client);
  }

  remove(subscription: Subscription): void {
    this.subscriptions.splice(this.subscriptions.indexOf(subscription), 1);
  }

  sent(transmission: Transmission): void {
    this.transmissions.push(transmission);
    if (this.transmissions.length > MAX_TRANSMISSIONS) this.transmissions.shift();
  }
}
