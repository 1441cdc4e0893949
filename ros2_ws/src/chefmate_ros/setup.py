from setuptools import find_packages, setup

PACKAGE = 'chefmate_ros'

setup(
    name=PACKAGE,
    version='0.1.0',
    packages=find_packages(exclude=['test']),
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
        (f'share/{PACKAGE}', ['package.xml']),
    ],
    install_requires=['setuptools'],
    extras_require={'test': ['pytest']},  # tells colcon to run pytest
    zip_safe=False,
    maintainer='ChefMate maintainers',
    maintainer_email='maintainers@chefmate.dev',
    description='What every node needs of rclpy.',
    license='MIT',
)
