// Runs in the page before the app does (an init script): records the speech envelope of everything
// that remote tracks play, and, for evil clients, hands out the peer connections.
(() => {
  const frames = [];
  const times = [];
  const state = { frames, times, startedAt: 0, connections: [], clickedAt: 0 };
  addEventListener('click', () => { state.clickedAt = performance.timeOrigin + performance.now(); }, true);
  Object.defineProperty(window, '__heard', { value: state });
  let context = null;
  let input = null;

  function begin() {
    context = new AudioContext({ sampleRate: 48000 });
    // A script processor needs no module file, which the page's content security policy would refuse.
    const processor = context.createScriptProcessor(1024, 1, 1);
    input = context.createGain();
    input.connect(processor);
    const mute = context.createGain();
    mute.gain.value = 0;
    processor.connect(mute).connect(context.destination);
    let sum = 0;
    let count = 0;
    // Stamped on the audio clock: a busy main thread calls back late, which the listener does not hear. How the
    // clocks lie to each other is taken from the promptest of the last second's callbacks.
    const offsets = [];
    const stamp = (playbackTime) => {
      offsets.push(performance.timeOrigin + performance.now() - playbackTime * 1000);
      if (offsets.length > 48) offsets.shift();
      return Math.min(...offsets) + playbackTime * 1000;
    };
    processor.onaudioprocess = (event) => {
      if (state.startedAt === 0) state.startedAt = performance.timeOrigin + performance.now();
      const at = stamp(event.playbackTime);
      const samples = event.inputBuffer.getChannelData(0);
      for (const sample of samples) {
        sum += sample * sample;
        if (++count === 480) {
          frames.push(Math.sqrt(sum / 480));
          times.push(at);
          sum = 0;
          count = 0;
        }
      }
    };
  }

  const addTransceiver = RTCPeerConnection.prototype.addTransceiver;
  RTCPeerConnection.prototype.addTransceiver = function (...args) {
    if (!state.connections.includes(this)) {
      state.connections.push(this);
      this.addEventListener('track', (event) => {
        if (!context) begin();
        context.createMediaStreamSource(new MediaStream([event.track])).connect(input);
      });
    }
    return addTransceiver.apply(this, args);
  };
})();
