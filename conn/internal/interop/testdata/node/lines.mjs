import { createInterface } from 'node:readline'

// emit writes an event, obey passes on the commands that come.
export const emit = (event) => { process.stdout.write(JSON.stringify(event) + '\n') }
export const obey = (command) => createInterface({ input: process.stdin })
  .on('line', (line) => command(JSON.parse(line)))
  .on('close', () => process.exit())
