import type { ServedRequest } from "../../simulators/utility/utility-server.ts";

/**
 * What is wrong with the times at which an address was asked; nothing where they fit. A gap of more than 1.5 intervals is
 * a missed poll, of which five intervals may have one; more than six polls in three intervals are too many. Pages after the
 * first of a list belong to the poll before them.
 * @param endpoint a path; `*` stands for one part of it
 */
export function pollFault(
  requests: readonly ServedRequest[],
  endpoint: string,
  method: string,
  intervalS: number,
): string | undefined {
  const pattern = pathPattern(endpoint);
  const times = new Map<string, number[]>();
  for (const request of requests) {
    const isPoll = request.method === method && pattern.test(request.path) && (request.query.get("s") ?? "0") === "0";
    if (isPoll) times.set(request.path, [...(times.get(request.path) ?? []), request.atS]);
  }
  if (times.size === 0) return `${method} ${endpoint} never came`;
  for (const [path, at] of times) {
    const fault = gapFault(at, intervalS);
    if (fault !== undefined) return `${method} ${path}: ${fault}`;
  }
  return undefined;
}

/** True for paths that an endpoint with `*` names. */
export function pathPattern(endpoint: string): RegExp {
  const parts = endpoint.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^/]+")}$`);
}

function gapFault(at: readonly number[], intervalS: number): string | undefined {
  let missedAtS: number | undefined;
  for (const [index, time] of at.entries()) {
    const crowd = at.filter((other) => other >= time && other < time + 3 * intervalS).length;
    if (crowd > 6) return `${crowd} times within ${3 * intervalS} s`;
    const gapS = time - (at[index - 1] ?? time);
    if (gapS <= 1.5 * intervalS) continue;
    if (missedAtS !== undefined && time - missedAtS < 5 * intervalS) return `missed twice, ${gapS} s at the end`;
    missedAtS = time;
  }
  return undefined;
}
