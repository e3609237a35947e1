// Where the client begins: state is wired, then the page that fits is drawn.
import { render } from 'preact';
import { Mark } from './components/icon';
import { Notices } from './components/small';
import { Welcome } from './pages/welcome';
import { loadEarly, Shell } from './shell';
import { startLive } from './state/live';
import { phase, start, unreachable } from './state/session';
import './styles/app.css';

function App() {
  return (
    <>
      {phase.value === 'signed_in' ? (
        <Shell />
      ) : phase.value === 'signed_out' ? (
        <Welcome />
      ) : (
        <Starting />
      )}
      <Notices />
    </>
  );
}

function Starting() {
  return (
    <div class="starting" role="status">
      <Mark size={52} />
      {unreachable.value && <p>The server cannot be reached. Trying again…</p>}
    </div>
  );
}

startLive();
if (phase.peek() === 'starting') loadEarly();
void start();
render(<App />, document.getElementById('app')!);
