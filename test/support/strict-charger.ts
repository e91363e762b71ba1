import { RPCClient } from "ocpp-rpc";
import { validatorOf21 } from "../../simulators/charger/link/protocol-schemas.ts";

export type Payload = Record<string, unknown>;

/** A charger on another OCPP stack, which checks every frame in both directions against the official schemas. */
export class StrictCharger implements AsyncDisposable {
  readonly calls: { action: string; payload: Payload }[] = [];
  readonly violations: string[] = [];
  readonly answers: Record<string, Payload>;
  readonly #client: InstanceType<typeof RPCClient>;

  constructor(url: string, version: string, answers: Record<string, Payload>) {
    this.answers = answers;
    const options = {
      endpoint: url,
      identity: "CP-1",
      protocols: [version],
      strictMode: true,
      strictModeValidators: [validatorOf21()],
      reconnect: false,
    };
    // Its types ask for every option, though all have defaults.
    this.#client = new RPCClient(options as unknown as ConstructorParameters<typeof RPCClient>[0]);
    this.#client.on("strictValidationFailure", ({ method, error }: { method: string; error: Error }) => {
      this.violations.push(`${method}: ${error.message} ${JSON.stringify((error as { details?: unknown }).details)}`);
    });
    this.#client.handle((async ({ method, params }: { method: string; params: Payload }) => {
      this.calls.push({ action: method, payload: params });
      return this.answers[method] ?? { status: "Accepted" };
    }) as Parameters<InstanceType<typeof RPCClient>["handle"]>[0]);
  }

  connect(): Promise<unknown> {
    return this.#client.connect();
  }

  call(action: string, payload: Payload): Promise<Payload> {
    return this.#client.call(action, payload) as Promise<Payload>;
  }

  actions(): Set<string> {
    return new Set(this.calls.map((call) => call.action));
  }

  of(action: string): Payload[] {
    return this.calls.filter((call) => call.action === action).map((call) => call.payload);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close({ force: true });
  }
}
