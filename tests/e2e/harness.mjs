// The real binary as the tests drive it: a lab, a gateway in front of it, and its ledger.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SLUICE = process.env.SLUICE_BIN ?? join(ROOT, 'build/release/sluice');
// Sanitizers make everything slower, so times in tests are multiplied by this.
export const SLOW = (process.env.SLUICE_PRESET ?? 'release') === 'release' ? 1 : 4;
export const HELLO = [{ role: 'user', content: 'Tell me about the harbour.' }];

// The first truthy result of check(). Fails after so many seconds.
export async function eventually(check, seconds = 5, what = 'it') {
  const end = performance.now() + seconds * 1000 * SLOW;
  for (;;) {
    const found = await check();
    if (found) return found;
    if (performance.now() > end) throw new Error(`${what} did not happen within ${seconds * SLOW} s`);
    await new Promise((wake) => setTimeout(wake, 10));
  }
}

class Program {
  constructor(...words) {
    const clean = Object.entries(process.env).filter(([name]) => !name.endsWith('_API_KEY'));
    this.said = [];
    this.child = spawn(SLUICE, words, { env: { ...Object.fromEntries(clean), NO_PROXY: '*' } });
    this.ended = new Promise((tell) => this.child.once('close', tell));
    for (const stream of [this.child.stdout, this.child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.said.push(line));
    }
  }

  lines() {
    return this.said.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  }

  serving() {
    return eventually(() => {
      if (this.child.exitCode !== null) throw new Error(`it ended: ${this.said.join('\n')}`);
      return this.lines().find((line) => line.msg === 'serving');
    }, 20, 'the start');
  }

  async stop() {
    this.child.kill('SIGTERM');
    const code = await this.ended;
    if (code !== 0) throw new Error(`exit code ${code}: ${this.said.join('\n').slice(-6000)}`);
  }
}

// A lab and a gateway in front of it. Access log lines are one per ledger row and carry its fields.
export class Stage {
  async start() {
    this.folder = mkdtempSync(join(tmpdir(), 'sluice-e2e-'));
    this.lab = new Program('lab', '--listen', '127.0.0.1:0');
    this.labUrl = (await this.lab.serving()).lab;
    const config = join(this.folder, 'sluice.json');
    writeFileSync(config, JSON.stringify({
      server: { listen: '127.0.0.1:0', admin_listen: '127.0.0.1:0', data_dir: join(this.folder, 'data') },
      providers: {
        lab: { kind: 'openai', base_url: `${this.labUrl}/v1`, api_key: 'provider-key', pass_headers: ['x-lab-fault'] },
        full: { kind: 'openai', base_url: `${this.labUrl}/v1`, api_key: 'provider-key', speaks: ['chat', 'responses'] },
        anthropic: { kind: 'anthropic', base_url: `${this.labUrl}/anthropic`, api_key: 'provider-key' },
      },
      tiers: { pair: ['lab/status-503', 'lab/chat'] },
      prices: { custom: { chat: { input: 1, output: 4 } } },
      log: { format: 'json' },
    }));
    this.gateway = new Program('serve', '--config', config);
    this.url = (await this.gateway.serving()).api;
    this.ledger = join(this.folder, 'data/ledger.db');
    return this;
  }

  async meter() {
    return (await (await fetch(`${this.labUrl}/lab/meter`)).json()).total;
  }

  // How many rows of the ledger say that the client left.
  async cancelled() {
    const asked = new Program('usage', '--ledger', this.ledger, '--by', 'outcome', '--json');
    if ((await asked.ended) !== 0) throw new Error(asked.said.join('\n'));
    const line = JSON.parse(asked.said.join('')).lines.find(({ name }) => name === 'client_closed');
    return line?.requests ?? 0;
  }

  async stop() {
    try {
      await this.gateway.stop();
      await this.lab.stop();
    } finally {
      rmSync(this.folder, { recursive: true });
    }
  }
}
