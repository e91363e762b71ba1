import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { BenchMarket } from "./bench-market.ts";
import { startNode } from "./child-program.ts";
import { DaemonProcess } from "./daemon-process.ts";
import { type BenchContext, type Benchmark, type Figure, figure } from "./figure.ts";
import { percentile } from "./percentile.ts";
import { INVERTERS, twentyDeviceConfig } from "./twenty-devices.ts";

const STARTS = 7;
/** Nothing listens here, so the inverters are away, as after a power cut; the daemon must not wait for them. */
const CLOSED_PORT = 1;

/**
 * From the start of the process until `GET /health` answers 200, for a site with 20 devices of which none is there yet
 * and with no database yet: the slowest start there is. The floor is Node that starts and does nothing.
 */
export const startToReady: Benchmark = {
  figures: ["start_to_ready"],
  run: measure,
};

async function measure({ folder, progress, profileFolder }: BenchContext): Promise<readonly Figure[]> {
  await using market = await BenchMarket.open();
  const config = twentyDeviceConfig(market, new Array<number>(INVERTERS).fill(CLOSED_PORT));
  const daemonS: number[] = [];
  const bareS: number[] = [];
  for (let start = 1; start <= STARTS; start++) {
    bareS.push((await bareStartMs()) / 1000);
    const own = join(folder, String(start));
    mkdirSync(own);
    await using daemon = await DaemonProcess.start(own, config, profileFolder);
    daemonS.push(daemon.readyAfterMs / 1000);
    progress(`start ${start} of ${STARTS}: ${daemonS.at(-1)?.toFixed(2)} s`);
  }
  const bestS = Math.min(...daemonS);
  const medianS = percentile(daemonS, 50);
  const floorS = percentile(bareS, 50);
  return [
    figure({
      name: "start_to_ready",
      value: medianS,
      unit: "s",
      target: 1.5,
      floor: floorS,
      detail: `median of ${STARTS} until GET /health is 200, best ${bestS.toFixed(2)} s; bare Node ${floorS.toFixed(3)} s`,
    }),
  ];
}

async function bareStartMs(): Promise<number> {
  const startedAtMs = performance.now();
  await once(startNode(["-e", "0"], "ignore"), "exit");
  return performance.now() - startedAtMs;
}
