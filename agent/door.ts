// Who gets in: TLS 1.3, a client certificate of the installation's authority that names the operator, and nobody else. What has not shown one yet costs
// little and not for long. Neighbours: agent/serve.ts (speaks gRPC with whom this lets in), agent/certificates.ts (the files).

import { createServer, type TLSSocket } from 'node:tls';
import type { Certificates } from './certificates.ts';

/** The URI in the operator's certificate. */
export const operatorUri = 'spiffe://sonde/operator';

/** Connections that have not shown a certificate: the oldest gives way, so that idle ones can't keep the operator out. */
const mostStrangers = 64;
/** An operator has one connection, two while its leader changes; each costs up to a megabyte. */
const mostGuests = 16;
const handshakeMs = 5000;

export interface Door {
  port: number;
  /** For new connections; those that are there go on. Throws where the key and certificate don't fit. */
  use(certificates: Certificates): void;
  /** Closes every connection. */
  close(): Promise<void>;
}

export interface DoorOptions {
  port: number;
  /** Absent: all addresses. */
  host?: string;
  certificates: Certificates;
  onGuest: (socket: TLSSocket) => void;
  /** Told of who was turned away, and why. */
  onStranger: (from: string, why: string) => void;
}

/** Opens the port. Throws where it is taken, or the certificates can't be used. */
export async function openDoor(options: DoorOptions): Promise<Door> {
  const { onGuest, onStranger } = options;
  const strangers = new Map<string, { destroy(): void }>();
  const guests = new Set<TLSSocket>();
  const server = createServer({
    ...contextOf(options.certificates),
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: ['h2'],
    handshakeTimeout: handshakeMs,
  });

  server.on('connection', (socket) => {
    const from = nameOf(socket);
    strangers.set(from, socket);
    socket.on('error', () => undefined);
    socket.on('close', () => strangers.delete(from));
    const [oldest] = strangers;
    if (strangers.size <= mostStrangers || oldest === undefined) return;
    strangers.delete(oldest[0]);
    oldest[1].destroy();
  });
  server.on('tlsClientError', (error, socket) => {
    onStranger(nameOf(socket), error.message);
    socket.destroy();
  });
  server.on('secureConnection', (socket) => {
    const from = nameOf(socket);
    strangers.delete(from);
    socket.on('error', () => undefined);
    const names = socket.getPeerX509Certificate()?.subjectAltName ?? '';
    if (!namesUri(names, operatorUri)) {
      onStranger(from, `its certificate is not the operator's`);
      socket.destroy();
      return;
    }
    if (guests.size >= mostGuests) {
      onStranger(from, `${mostGuests} connections are open already`);
      socket.destroy();
      return;
    }
    guests.add(socket);
    socket.on('close', () => guests.delete(socket));
    onGuest(socket);
  });

  const { promise: listening, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(options.port, options.host, resolve);
  await listening;
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    use: (certificates) => server.setSecureContext(contextOf(certificates)),
    async close() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      for (const socket of [...strangers.values(), ...guests]) socket.destroy();
      await closed.promise;
    },
  };
}

function contextOf({ ca, certificate, key }: Certificates) {
  return { ca, cert: certificate, key, minVersion: 'TLSv1.3' as const };
}

function nameOf(socket: { remoteAddress?: string | undefined; remotePort?: number | undefined }): string {
  return `${socket.remoteAddress}:${socket.remotePort}`;
}

/** Whether a certificate's alternative names, as Node writes them, hold this URI. What could be mistaken for several names is quoted there. */
export function namesUri(subjectAltName: string, uri: string): boolean {
  return subjectAltName
    .replace(/"(?:[^"\\]|\\.)*"/g, '')
    .split(', ')
    .includes(`URI:${uri}`);
}
