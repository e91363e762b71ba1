/** What happens at a charger, for those who watch it. Powers in kW, export positive. */
export type ChargerEvent =
  | { readonly event: "connected" }
  | { readonly event: "disconnected"; readonly reason: string }
  | { readonly event: "dialFailed"; readonly reason: string; readonly httpStatus?: number }
  | { readonly event: "boot"; readonly status: string }
  | {
      readonly event: "profile";
      readonly outcome: "accepted" | "rejected";
      readonly id: number;
      readonly connectorId: number;
      readonly purpose: string;
      readonly stackLevel: number;
      readonly kind: string;
      readonly reasonCode?: string;
      readonly reason?: string;
    }
  | {
      readonly event: "limit";
      readonly connectorId: number;
      readonly limitA: number;
      readonly phases: number;
      readonly setpointKW?: number;
    }
  | {
      readonly event: "power";
      readonly connectorId: number;
      readonly powerKW: number;
      readonly socPercent: number;
      readonly state: string;
    }
  | { readonly event: "transactionStarted"; readonly connectorId: number; readonly transactionId: string }
  | {
      readonly event: "transactionStopped";
      readonly connectorId: number;
      readonly transactionId: string;
      readonly reason: string;
    }
  /** A message that does not pass the schema. `by` says whose it was. */
  | { readonly event: "violation"; readonly by: "csms" | "charger"; readonly text: string };

export type OnChargerEvent = (event: ChargerEvent) => void;
