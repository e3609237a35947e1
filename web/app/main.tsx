import { render } from 'preact';
import { Parley } from '../sdk/index';
import './styles/app.css';

render(<p>Parley {String(new Parley())}</p>, document.getElementById('app')!);
