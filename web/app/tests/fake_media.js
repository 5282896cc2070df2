// Runs in the page before the app: a peer connection and a worker that pretend, so that the room can be
// looked at without a relay. window.__speaking maps slots to seats and levels.
(() => {
  window.__speaking = [];

  class FakeReceiver {
    constructor() {
      const context = new AudioContext();
      this.track = context.createMediaStreamDestination().stream.getAudioTracks()[0];
      this.transform = null;
    }
    getSynchronizationSources() {
      return [];
    }
  }

  class FakeConnection extends EventTarget {
    connectionState = 'new';
    iceConnectionState = 'new';
    #mids = 0;
    addTransceiver() {
      const mid = String(this.#mids++);
      return {
        mid,
        sender: { transform: null, replaceTrack: async () => undefined },
        receiver: new FakeReceiver(),
        setCodecPreferences: () => undefined,
      };
    }
    async createOffer() {
      return { type: 'offer', sdp: 'v=0\r\n' };
    }
    setLocalDescription = async () => undefined;
    async setRemoteDescription() {
      this.connectionState = 'connected';
      this.iceConnectionState = 'connected';
      setTimeout(() => this.onconnectionstatechange?.(), 20);
    }
    async getStats() {
      const pair = { id: 'p', type: 'candidate-pair', state: 'succeeded', responsesReceived: 1 };
      const transport = { id: 't', type: 'transport', dtlsState: 'connected' };
      transport.selectedCandidatePairId = 'p';
      const inbound = window.__speaking.map(({ level }, slot) => ({
        id: `i${slot}`,
        type: 'inbound-rtp',
        mid: String(slot + 1),
        packetsReceived: Math.round(performance.now() / 20),
        audioLevel: level,
      }));
      return new Map([pair, transport, ...inbound].map((entry) => [entry.id, entry]));
    }
    close = () => undefined;
  }

  window.RTCPeerConnection = FakeConnection;
  window.RTCRtpScriptTransform = function () {
    // Nothing passes through it here.
  };
  const RealWorker = window.Worker;
  window.Worker = class extends RealWorker {
    constructor(...args) {
      super(...args);
      setInterval(() => {
        window.__speaking.forEach(({ seat }, slot) => {
          this.onmessage?.({ data: { type: 'heard', slot, seat } });
        });
      }, 100);
    }
  };
})();
