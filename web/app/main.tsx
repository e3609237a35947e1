import { render } from 'preact';
import { version } from '../sdk/index';
import './styles/app.css';

render(<p>Parley {version}</p>, document.getElementById('app')!);
